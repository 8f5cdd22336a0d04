#include "oracle.h"

#include <string.h>

uint64_t little(const uint8_t *at, int size) {
  uint64_t value = 0;
  for (int i = 0; i < size; i++) value |= (uint64_t)at[i] << (8 * i);
  return value;
}

bool same(struct slice a, struct slice b) {
  return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

static void put(struct buffer *out, uint8_t byte) { out->at[out->length++] = byte; }

static void put_number(struct buffer *out, uint64_t value, int size) {
  for (int i = 0; i < size; i++) put(out, value >> (8 * i));
}

static void put_slice(struct buffer *out, struct slice slice) {
  for (size_t i = 0; i < slice.length; i++) put(out, slice.at[i]);
}

static void pad(struct buffer *out, size_t from) {
  while ((out->length - from) % 8 != 0) put(out, 0);
}

/** Up to the NUL that stands before `end`. */
static bool until_nul(const uint8_t *bytes, size_t at, size_t end, struct slice *text) {
  for (size_t nul = at; nul < end; nul++) {
    if (bytes[nul] != 0) continue;
    *text = (struct slice){bytes + at, nul - at};
    return true;
  }
  return false;
}

// ── Reading ────────────────────────────────────────────────────────────────────────────────────────

int read_header(const uint8_t *bytes, size_t length, struct slice *name, struct slice *uuid) {
  if (length < LEAST) return -1;
  if (!until_nul(bytes, 48, 48 + 128, name) || !until_nul(bytes, 176, 176 + 129, uuid)) return -1;
  return little(bytes + 40, 8) < 1ull << 53 ? 1 : -1;
}

int read_table(const uint8_t *bytes, size_t length, size_t start, uint32_t count, bool reply, bool full,
               bool wide, struct row *rows) {
  size_t at = start;
  uint32_t made = 0;
  while (made < count) {
    if (length - at <= SPEC) return full ? (int)made : -1;
    struct row *row = &rows[made];
    if (!until_nul(bytes, at + SPEC, length, &row->parameters)) return full ? (int)made : -1;
    row->start = little(bytes + at, 8);
    row->length = little(bytes + at + 8, 8);
    if (!wide && (row->start >= 1ull << 53 || row->length >= 1ull << 53)) return -1;
    if (!until_nul(bytes, at + 24, at + SPEC, &row->type)) return -1;
    if (++made == count) break;
    size_t end = at + SPEC + row->parameters.length + 1;
    // The kernel had no room to say where the next one is.
    if (full && at + (end - at + 7) / 8 * 8 >= length) break;
    uint32_t next = little(bytes + at + 20, 4);
    if (reply && next % 8 != 0) return -1;
    uint64_t to = (uint64_t)(reply ? start : at) + next;
    if (to < end || to >= length) return -1;
    at = to;
  }
  return made;
}

int read_devices(const uint8_t *bytes, size_t length, size_t start, uint32_t minor, struct device *devices) {
  if (start >= length) return 0;
  size_t at = start;
  for (int made = 0;;) {
    if (length - at <= 12) return -1;
    struct device *device = &devices[made];
    *device = (struct device){.dev = little(bytes + at, 8), .uuid = {bytes, 0}};
    if (made == 0 && device->dev == 0) return 0;
    if (device->dev > UINT32_MAX) return -1;
    if (!until_nul(bytes, at + 12, length, &device->name)) return -1;
    size_t end = at + (12 + device->name.length + 1 + 7) / 8 * 8;
    if (minor >= 37) {
      if (end + 8 > length) return -1;
      device->event = little(bytes + end, 4);
      if (minor >= 45) device->flags = little(bytes + end + 4, 4);
      end += 8;
      if (device->flags & 1) {
        if (!until_nul(bytes, end, length, &device->uuid)) return -1;
        end += device->uuid.length + 1;
      }
    }
    made++;
    uint32_t next = little(bytes + at + 8, 4);
    if (next == 0) return made;
    if (next % 8 != 0 || at + next < end || at + next >= length) return -1;
    at += next;
  }
}

int read_deps(const uint8_t *bytes, size_t length, size_t start, uint64_t *devs) {
  if (start >= length) return 0;
  if (length - start < 8) return -1;
  uint32_t count = little(bytes + start, 4);
  if (8 + 8 * (uint64_t)count > length - start) return -1;
  for (uint32_t i = 0; i < count; i++) {
    devs[i] = little(bytes + start + 8 + 8 * i, 8);
    if (devs[i] > UINT32_MAX) return -1;
  }
  return count;
}

int read_versions(const uint8_t *bytes, size_t length, size_t start, struct version *versions) {
  if (start >= length) return 0;
  size_t at = start;
  for (int made = 0;;) {
    if (length - at <= 16) return -1;
    struct version *version = &versions[made++];
    for (int i = 0; i < 3; i++) version->version[i] = little(bytes + at + 4 + 4 * i, 4);
    if (!until_nul(bytes, at + 16, length, &version->name)) return -1;
    size_t end = at + 16 + version->name.length + 1;
    uint32_t next = little(bytes + at, 4);
    if (next == 0) return made;
    if (next % 8 != 0 || at + next < end || at + next >= length) return -1;
    at += next;
  }
}

int read_string(const uint8_t *bytes, size_t length, size_t start, struct slice *text) {
  return start < length && until_nul(bytes, start, length, text) ? 1 : -1;
}

// ── Writing ────────────────────────────────────────────────────────────────────────────────────────

void write_table(struct buffer *out, const struct row *rows, int count, bool reply) {
  out->length = 0;
  for (int i = 0; i < count; i++) {
    const struct row *row = &rows[i];
    size_t at = out->length;
    size_t size = (SPEC + row->parameters.length + 1 + 7) / 8 * 8;
    put_number(out, row->start, 8);
    put_number(out, row->length, 8);
    put_number(out, 0, 4);
    put_number(out, reply ? at + size : size, 4);
    put_slice(out, row->type);
    while (out->length < at + SPEC) put(out, 0);
    put_slice(out, row->parameters);
    put(out, 0);
    pad(out, at);
  }
}

void write_devices(struct buffer *out, const struct device *devices, int count, uint32_t minor) {
  out->length = 0;
  for (int i = 0; i < count; i++) {
    const struct device *device = &devices[i];
    size_t at = out->length;
    put_number(out, device->dev, 8);
    put_number(out, 0, 4);
    put_slice(out, device->name);
    put(out, 0);
    pad(out, at);
    if (minor >= 37) {
      uint32_t flags = minor >= 45 ? device->flags : 0;
      put_number(out, device->event, 4);
      put_number(out, flags, 4);
      if (flags & 1) {
        put_slice(out, device->uuid);
        put(out, 0);
        pad(out, at);
      }
    }
    uint32_t next = i + 1 == count ? 0 : out->length - at;
    for (int byte = 0; byte < 4; byte++) out->at[at + 8 + byte] = next >> (8 * byte);
  }
}

void write_versions(struct buffer *out, const struct version *versions, int count) {
  out->length = 0;
  for (int i = 0; i < count; i++) {
    size_t at = out->length;
    size_t size = (16 + versions[i].name.length + 1 + 7) / 8 * 8;
    put_number(out, i + 1 == count ? 0 : size, 4);
    for (int part = 0; part < 3; part++) put_number(out, versions[i].version[part], 4);
    put_slice(out, versions[i].name);
    put(out, 0);
    pad(out, at);
  }
}

// ── Words ──────────────────────────────────────────────────────────────────────────────────────────

static bool is_space(uint8_t byte) { return byte == ' ' || (byte >= 9 && byte <= 13); }

/** The kernel's, which has a no-break space among them. */
static bool is_blank(uint8_t byte) { return is_space(byte) || byte == 0xa0; }

bool is_blank_text(struct slice text) {
  for (size_t i = 0; i < text.length; i++) {
    if (!is_blank(text.at[i])) return false;
  }
  return true;
}

int split(struct buffer *out, struct slice text) {
  out->length = 0;
  int words = 0;
  bool inside = false;
  for (size_t i = 0; i < text.length && text.at[i] != 0; i++) {
    uint8_t byte = text.at[i];
    if (is_blank(byte)) {
      if (inside) put(out, 0);
      inside = false;
      continue;
    }
    if (byte == '\\' && i + 1 < text.length && text.at[i + 1] != 0) byte = text.at[++i];
    put(out, byte);
    words += !inside;
    inside = true;
  }
  if (inside) put(out, 0);
  return words;
}

int join(struct buffer *out, struct slice words, uint32_t count) {
  out->length = 0;
  if (count == 0 && words.length == 0) return 0;
  uint32_t made = 0;
  size_t at = 0;
  for (;;) {
    bool blank = true;
    for (; at < words.length && words.at[at] != 0; at++) {
      uint8_t byte = words.at[at];
      blank = blank && is_blank(byte);
      if (byte == '\\' || is_blank(byte)) put(out, '\\');
      put(out, byte);
    }
    // An empty one is blank as well.
    if (blank) return -1;
    made++;
    if (at == words.length) break;
    put(out, ' ');
    at++;
  }
  return made == count ? 0 : -1;
}

int escape_line(struct buffer *out, struct slice line) {
  out->length = 0;
  for (size_t i = 0; i < line.length; i++) {
    if (line.at[i] == 0) return -1;
    if (line.at[i] == '\\') put(out, '\\');
    put(out, line.at[i]);
  }
  return 0;
}

// ── A table's text ─────────────────────────────────────────────────────────────────────────────────

static bool read_sector(struct slice line, size_t *at, uint64_t *value) {
  size_t begin = *at;
  for (*value = 0; *at < line.length && line.at[*at] >= '0' && line.at[*at] <= '9'; ++*at) {
    unsigned digit = line.at[*at] - '0';
    if (*value > UINT64_MAX / 10 || *value * 10 > UINT64_MAX - digit) return false;
    *value = *value * 10 + digit;
  }
  return *at > begin && (*at == line.length || is_space(line.at[*at]));
}

static void skip(struct slice line, size_t *at) {
  while (*at < line.length && is_space(line.at[*at])) ++*at;
}

int read_text(struct buffer *out, struct slice text) {
  static struct buffer parameters;
  out->length = 0;
  int count = 0;
  for (size_t from = 0; from < text.length;) {
    size_t end = from;
    while (end < text.length && text.at[end] != '\n') end++;
    struct slice line = {text.at + from, end - from};
    from = end + 1;
    size_t at = 0;
    skip(line, &at);
    if (at == line.length || line.at[at] == '#') continue;
    struct row row;
    if (!read_sector(line, &at, &row.start)) return -1;
    skip(line, &at);
    if (!read_sector(line, &at, &row.length)) return -1;
    skip(line, &at);
    size_t type = at;
    for (; at < line.length && !is_space(line.at[at]); at++) {
      if (line.at[at] == 0) return -1;
    }
    row.type = (struct slice){line.at + type, at - type};
    if (row.type.length == 0 || row.type.length > 15) return -1;
    skip(line, &at);
    size_t stop = at;
    while (stop < line.length && line.at[stop] != '#') stop++;
    while (stop > at && is_space(line.at[stop - 1])) stop--;
    if (escape_line(&parameters, (struct slice){line.at + at, stop - at}) < 0) return -1;
    row.parameters = (struct slice){parameters.at, parameters.length};
    static struct buffer one;
    write_table(&one, &row, 1, false);
    memcpy(out->at + out->length, one.at, one.length);
    out->length += one.length;
    count++;
  }
  return count;
}

// ── Its lines, field by field ──────────────────────────────────────────────────────────────────────

static size_t word_end(struct slice line, size_t at) {
  while (at < line.length && !is_space(line.at[at])) ++at;
  return at;
}

/** Two words of digits: what follows them does not matter. */
static bool begins_a_row(struct slice line, size_t at) {
  for (int i = 0; i < 2; i++) {
    skip(line, &at);
    size_t end = word_end(line, at);
    if (end == at) return false;
    for (; at < end; at++) {
      if (line.at[at] < '0' || line.at[at] > '9') return false;
    }
  }
  return true;
}

static size_t name_length(struct slice line) {
  size_t at = 0;
  if (begins_a_row(line, at)) {
    for (int i = 0; i < 2; i++) {
      skip(line, &at);
      at = word_end(line, at);
    }
    skip(line, &at);
    size_t end = word_end(line, at);
    if (end == at || line.at[end - 1] != ':') return 0;
  }
  for (size_t colon = 0; colon < line.length; colon++) {
    if (line.at[colon] != ':') continue;
    size_t next = colon + 1;
    skip(line, &next);
    if (next == line.length) return colon;
    if (next > colon + 1 && begins_a_row(line, next)) return colon;
  }
  return 0;
}

/** 1 for no number, 2 for one of more than 64 bits. */
static int sector_flaw(struct slice word, uint64_t *value) {
  *value = 0;
  if (word.length == 0) return 1;
  for (size_t i = 0; i < word.length; i++) {
    if (word.at[i] < '0' || word.at[i] > '9') return 1;
    __uint128_t next = (__uint128_t)*value * 10 + (word.at[i] - '0');
    if (next > UINT64_MAX) return 2;
    *value = next;
  }
  return 0;
}

int read_lines(struct buffer *out, struct slice text, bool comments, bool names) {
  out->length = 0;
  int count = 0;
  uint32_t number = 0;
  for (size_t from = 0; from < text.length;) {
    size_t end = from;
    while (end < text.length && text.at[end] != '\n') end++;
    struct slice line = {text.at + from, end - from};
    size_t begin = from;
    from = end + 1;
    number++;
    size_t at = 0;
    skip(line, &at);
    if (at == line.length || (comments && line.at[at] == '#')) continue;
    count++;
    size_t name = names ? name_length(line) : 0;
    if (name > 0) {
      at = name + 1;
      skip(line, &at);
    }
    size_t ends[10] = {0, name};
    uint64_t sectors[2];
    uint32_t flaws = 0;
    for (int i = 0; i < 3; i++) {
      size_t stop = word_end(line, at);
      ends[2 + 2 * i] = at;
      ends[3 + 2 * i] = stop;
      struct slice word = {line.at + at, stop - at};
      if (i < 2) flaws |= sector_flaw(word, &sectors[i]) << 2 * i;
      else if (word.length == 0) flaws |= 16;
      else if (word.length > 15) flaws |= 32;
      at = stop;
      skip(line, &at);
    }
    size_t stop = at;
    while (stop < line.length && !(comments && line.at[stop] == '#')) stop++;
    while (stop > at && is_space(line.at[stop - 1])) stop--;
    ends[8] = at;
    ends[9] = stop;
    for (size_t i = ends[6]; i < stop; i++) {
      if (line.at[i] == 0) flaws |= 64;
    }
    for (int i = 0; i < 2; i++) put_number(out, flaws & 3 << 2 * i ? 0 : sectors[i], 8);
    put_number(out, number, 4);
    put_number(out, flaws, 4);
    for (int i = 0; i < 10; i++) put_number(out, begin + ends[i], 4);
  }
  return count;
}

int read_separators(struct buffer *out, struct slice text, bool escapes) {
  out->length = 0;
  int count = 0;
  bool escaped = false;
  for (size_t i = 0; i < text.length; i++) {
    uint8_t byte = text.at[i];
    if (escaped) {
      escaped = false;
    } else if (escapes && byte == '\\') {
      escaped = true;
    } else if (byte == ',' || byte == ';') {
      put_number(out, i, 4);
      count++;
    }
  }
  return count;
}
