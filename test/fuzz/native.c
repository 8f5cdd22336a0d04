// libFuzzer's side: bytes in, and what the module makes of them is what the oracle makes of them, written
// nowhere but into the areas that it was given. Which target is said by FUZZ_TARGET.
//
// An input is what a target's function says; most begin with a few bytes of settings.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "codec.h"
#include "oracle.h"

static Z_codec_instance_t codec;
static uint8_t *memory;
static u32 base, room;
static struct buffer expected;

/** What the module must never do; wasm-rt-impl.c calls it. */
void trapped(wasm_rt_trap_t code);
void trapped(wasm_rt_trap_t code) {
  fprintf(stderr, "FINDING: trap %d\n", code);
  abort();
}

#define EXPECT(what)                                                                                       \
  do {                                                                                                     \
    if (!(what)) {                                                                                         \
      fprintf(stderr, "FINDING: %s:%d: %s\n", __func__, __LINE__, #what);                                  \
      abort();                                                                                             \
    }                                                                                                      \
  } while (0)

// ── Areas of memory ────────────────────────────────────────────────────────────────────────────────

enum { SLACK = 8, GUARD = 32, PATTERN = 0xc5, AREAS = 8, CELLS = CELL_END + 1 };

/** The areas of the call at hand, with bytes between them that nobody may write. */
static struct {
  u32 at, size;
  /** What an input was made of; it must still stand there. */
  const void *given;
} areas[AREAS];
static int used;
static u32 top;

static u32 area(const void *bytes, size_t length, size_t size) {
  u32 at = (top + GUARD + 7) & ~7u;
  memset(memory + top, PATTERN, at - top);
  if (length > 0) memcpy(memory + at, bytes, length);
  memset(memory + at + length, PATTERN, size - length + SLACK + GUARD);
  top = at + size + SLACK + GUARD;
  EXPECT(top <= base + room && used < AREAS);
  areas[used].at = at;
  areas[used].size = size;
  areas[used++].given = length == size ? bytes : NULL;
  return at;
}

static u32 input(const void *bytes, size_t length) { return area(bytes, length, length); }
static u32 output(size_t size) { return area(NULL, 0, size); }

static void begin(void) {
  used = 0;
  top = base;
}

/** Nothing was written but outputs and their slack. */
static void check_guards(void) {
  u32 from = base;
  for (int i = 0; i < used; i++) {
    for (u32 at = from; at < areas[i].at; at++) EXPECT(memory[at] == PATTERN);
    if (areas[i].given != NULL) EXPECT(memcmp(memory + areas[i].at, areas[i].given, areas[i].size) == 0);
    from = areas[i].at + areas[i].size + SLACK;
  }
  for (u32 at = from; at < from + GUARD; at++) EXPECT(memory[at] == PATTERN);
}

static uint8_t *cells(void) { return memory + Z_codecZ_controlBlock(&codec); }
static u32 cell(int index) { return little(cells() + 4 * index, 4); }

static struct slice at(u32 address, size_t length) { return (struct slice){memory + address, length}; }
static bool is_ascii(struct slice text) {
  for (size_t i = 0; i < text.length; i++) {
    if (text.at[i] >= 0x80) return false;
  }
  return true;
}
static struct slice whole(const struct buffer *buffer) { return (struct slice){buffer->at, buffer->length}; }

// ── Inputs ─────────────────────────────────────────────────────────────────────────────────────────

struct reader {
  const uint8_t *at;
  size_t left;
};

static uint64_t take(struct reader *from, int size) {
  uint8_t bytes[8] = {0};
  size_t have = from->left < (size_t)size ? from->left : (size_t)size;
  memcpy(bytes, from->at, have);
  from->at += have;
  from->left -= have;
  return little(bytes, size);
}

static struct slice take_slice(struct reader *from, size_t length) {
  struct slice slice = {from->at, from->left < length ? from->left : length};
  from->at += slice.length;
  from->left -= slice.length;
  return slice;
}

static bool has_nul(struct slice text) { return text.length > 0 && memchr(text.at, 0, text.length) != NULL; }

static struct slice rest(struct reader *from) { return take_slice(from, from->left); }

// ── Targets ────────────────────────────────────────────────────────────────────────────────────────

/** A header. */
static void header(struct reader from) {
  struct slice bytes = rest(&from), name, uuid;
  begin();
  u32 buffer = input(bytes.at, bytes.length);
  int status = Z_codecZ_decodeHeader(&codec, buffer, bytes.length);
  check_guards();
  bool taken = read_header(bytes.at, bytes.length, &name, &uuid) > 0;
  EXPECT(taken == (status >= 0));
  if (!taken) return;
  EXPECT(memcmp(cells(), bytes.at, 48) == 0);
  EXPECT(cell(CELL_NAME_LENGTH) == name.length && cell(CELL_UUID_LENGTH) == uuid.length);
  // With both in their slots, and with another byte in one of them.
  memcpy(memory + Z_codecZ_nameSlot(&codec), name.at, name.length);
  memcpy(memory + Z_codecZ_uuidSlot(&codec), uuid.at, uuid.length);
  EXPECT(Z_codecZ_decodeHeader(&codec, buffer, bytes.length) == (ABI_SAME_NAME | ABI_SAME_UUID));
  if (name.length > 0) {
    uint8_t *byte = memory + Z_codecZ_nameSlot(&codec) + bytes.at[0] % name.length;
    *byte ^= 1;
    EXPECT(Z_codecZ_decodeHeader(&codec, buffer, bytes.length) == ABI_SAME_UUID);
    *byte ^= 1;
  }
  if (uuid.length > 0) {
    uint8_t *byte = memory + Z_codecZ_uuidSlot(&codec) + bytes.at[0] % uuid.length;
    *byte ^= 1;
    EXPECT(Z_codecZ_decodeHeader(&codec, buffer, bytes.length) == ABI_SAME_NAME);
    *byte ^= 1;
  }
  // And back.
  u32 out = output(HEADER);
  EXPECT(Z_codecZ_encodeHeader(&codec, out, HEADER) == HEADER);
  check_guards();
  uint8_t again[HEADER] = {0};
  memcpy(again, bytes.at, 48);
  memcpy(again + 48, name.at, name.length);
  memcpy(again + 176, uuid.at, uuid.length);
  EXPECT(memcmp(memory + out, again, HEADER) == 0);
}

/** Settings, the lengths of the two strings, the values before them, the strings as they lie in their slots. */
static void header_out(struct reader from) {
  uint8_t how = take(&from, 1), slots[2][136], again[HEADER] = {0};
  u32 lengths[2];
  for (int i = 0; i < 2; i++) lengths[i] = take(&from, how & (1 << i) ? 4 : 1);
  uint8_t values[48];
  for (int i = 0; i < 48; i++) values[i] = take(&from, 1);
  memset(slots, PATTERN, sizeof slots);
  u32 capacity = how & 4 ? HEADER - 1 : HEADER;
  bool right = capacity == HEADER;
  memcpy(again, values, 48);
  for (int i = 0; i < 2; i++) {
    struct slice given = take_slice(&from, lengths[i] < 136 ? lengths[i] : 136);
    if (given.length > 0) memcpy(slots[i], given.at, given.length);
    // 128 bytes and 129, with the NUL.
    bool fits = lengths[i] < 128u + i && memchr(slots[i], 0, lengths[i]) == NULL;
    if (fits) memcpy(again + (i == 0 ? 48 : 176), slots[i], lengths[i]);
    right = right && fits;
  }
  begin();
  u32 out = output(capacity);
  memcpy(cells(), values, 48);
  memcpy(cells() + 4 * CELL_NAME_LENGTH, lengths, 8);
  memcpy(memory + Z_codecZ_nameSlot(&codec), slots[0], 136);
  memcpy(memory + Z_codecZ_uuidSlot(&codec), slots[1], 136);
  int size = Z_codecZ_encodeHeader(&codec, out, capacity);
  check_guards();
  EXPECT(right ? size == HEADER : size < 0);
  if (right) EXPECT(memcmp(memory + out, again, HEADER) == 0);
}

/** Where the last string of `expected` ends. */
static void check_end(const struct row *rows, u32 count) {
  size_t padding = count == 0 ? 0 : 7 - rows[count - 1].parameters.length % 8;
  EXPECT(cell(CELL_END) == expected.length - padding);
}

/** Rows → records, types and texts → the module's chain, which is the oracle's. */
static void encode_rows(const struct row *rows, int count, bool reply, bool floats) {
  static uint8_t records[MOST * 24], types[MOST * 16], texts[1 << 17];
  size_t length = 0;
  for (int i = 0; i < count; i++) {
    uint8_t *record = records + 24 * i;
    memcpy(record, &rows[i].start, 8);
    memcpy(record + 8, &rows[i].length, 8);
    u32 text = rows[i].parameters.length;
    u32 kind = (u32)i << ABI_TYPE_SHIFT;
    if (floats) {
      double start = (double)rows[i].start, sectors = (double)rows[i].length;
      memcpy(record, &start, 8);
      memcpy(record + 8, &sectors, 8);
      kind |= ABI_FLOAT_START | ABI_FLOAT_LENGTH;
    }
    memcpy(record + 16, &text, 4);
    memcpy(record + 20, &kind, 4);
    memset(types + 16 * i, 0, 16);
    memcpy(types + 16 * i, rows[i].type.at, rows[i].type.length);
    memcpy(texts + length, rows[i].parameters.at, text);
    length += text;
    if (rows[i].type.length == 0) return;
  }
  write_table(&expected, rows, count, reply);
  size_t capacity = 48 * (size_t)count + 2 * length + 16;
  u32 in_records = input(records, 24 * count), in_types = input(types, 16 * count);
  u32 in_texts = input(texts, length), out = output(capacity);
  int size = Z_codecZ_encodeTable(&codec, out, capacity, in_records, count, in_types, count, in_texts,
                                  length, reply);
  check_guards();
  EXPECT(size == (int)expected.length);
  EXPECT(same(at(out, size), whole(&expected)));
  check_end(rows, count);
}

/** Settings, how many targets, where the payload begins; then the buffer. */
static void table(struct reader from, bool reply) {
  static struct row rows[MOST];
  uint8_t how = take(&from, 1);
  bool full = how & 1, wide = how & 2;
  u32 count = how & 4 ? take(&from, 4) : take(&from, 1);
  size_t start = take(&from, 2);
  struct slice bytes = rest(&from);
  start = start > bytes.length ? 0 : start;
  begin();
  u32 most = count < bytes.length / 41 + 1 ? count : bytes.length / 41 + 1;
  u32 buffer = input(bytes.at, bytes.length), index = output(24 * most), text = output(bytes.length);
  int made = Z_codecZ_decodeTable(&codec, buffer, bytes.length, start, count, index, most, text,
                                  bytes.length, reply, full, wide);
  check_guards();
  int rightly = read_table(bytes.at, bytes.length, start, count, reply, full, wide, rows);
  EXPECT(made >= 0 ? made == rightly : rightly < 0);
  if (made < 0) return;
  u32 packed = 0;
  bool ascii = true;
  for (int i = 0; i < made; i++) {
    const uint8_t *row = memory + index + 24 * i;
    double start_f, length_f;
    memcpy(&start_f, row, 8);
    memcpy(&length_f, row + 8, 8);
    if (wide) EXPECT(little(row, 8) == rows[i].start && little(row + 8, 8) == rows[i].length);
    else EXPECT(start_f == (double)rows[i].start && length_f == (double)rows[i].length);
    u32 end = little(row + 16, 4);
    EXPECT(same(at(text + packed, end - packed), rows[i].parameters));
    packed = end;
    const char *type = (char *)memory + little(row + 20, 4);
    EXPECT(same((struct slice){(uint8_t *)type, strlen(type)}, rows[i].type));
    ascii = ascii && is_ascii(rows[i].parameters);
  }
  EXPECT(cell(CELL_TEXT_LENGTH) == packed);
  EXPECT(cell(CELL_NOT_ASCII) == !ascii);
  begin();
  encode_rows(rows, made, reply, !wide);
}

static void table_request(struct reader from) { table(from, false); }
static void table_reply(struct reader from) { table(from, true); }

/** The interface's minor, where the payload begins; then the buffer. */
static void devices(struct reader from) {
  static struct device found[MOST];
  u32 minor = take(&from, 1);
  size_t start = take(&from, 2);
  struct slice bytes = rest(&from);
  begin();
  u32 most = bytes.length / 16 + 1;
  u32 buffer = input(bytes.at, bytes.length), records = output(24 * most), text = output(bytes.length);
  int made = Z_codecZ_decodeDevices(&codec, buffer, bytes.length, start, records, most, text, bytes.length,
                                    minor);
  check_guards();
  int rightly = read_devices(bytes.at, bytes.length, start, minor, found);
  EXPECT(made >= 0 ? made == rightly : rightly < 0);
  if (made < 0) return;
  static uint8_t copy[MOST * 24], texts[1 << 17];
  u32 packed = 0;
  for (int i = 0; i < made; i++) {
    const uint8_t *record = memory + records + 24 * i;
    EXPECT(little(record, 8) == found[i].dev);
    EXPECT(little(record + 8, 4) == found[i].name.length && little(record + 12, 4) == found[i].uuid.length);
    EXPECT(little(record + 16, 4) == found[i].event && little(record + 20, 4) == found[i].flags);
    EXPECT(same(at(text + packed, found[i].name.length), found[i].name));
    packed += found[i].name.length;
    EXPECT(same(at(text + packed, found[i].uuid.length), found[i].uuid));
    packed += found[i].uuid.length;
  }
  EXPECT(cell(CELL_TEXT_LENGTH) == packed);
  EXPECT(cell(CELL_NOT_ASCII) == !is_ascii(at(text, packed)));
  // And back.
  memcpy(copy, memory + records, 24 * made);
  memcpy(texts, memory + text, packed);
  write_devices(&expected, found, made, minor);
  begin();
  size_t capacity = 48 * (size_t)made + packed + 8;
  records = input(copy, 24 * made);
  text = input(texts, packed);
  u32 out = output(capacity);
  int size = Z_codecZ_encodeDevices(&codec, out, capacity, records, made, text, packed, minor);
  check_guards();
  EXPECT(size == (int)expected.length);
  EXPECT(same(at(out, size), whole(&expected)));
}

/** Where the payload begins; then the buffer. */
static void deps(struct reader from) {
  static uint64_t devs[1 << 14];
  size_t start = take(&from, 2);
  struct slice bytes = rest(&from);
  begin();
  u32 buffer = input(bytes.at, bytes.length), out = output(bytes.length);
  int made = Z_codecZ_decodeDependencies(&codec, buffer, bytes.length, start, out, bytes.length);
  check_guards();
  int rightly = read_deps(bytes.at, bytes.length, start, devs);
  EXPECT(made >= 0 ? made == rightly : rightly < 0);
  if (made < 0) return;
  EXPECT(same(at(out, 8 * made), (struct slice){(uint8_t *)devs, 8 * made}));
  begin();
  u32 in = input(devs, 8 * made), again = output(8 + 8 * made);
  EXPECT(Z_codecZ_encodeDependencies(&codec, again, 8 + 8 * made, in, made) == (u32)(8 + 8 * made));
  check_guards();
  EXPECT(little(memory + again, 8) == (uint64_t)made);
  EXPECT(same(at(again + 8, 8 * made), (struct slice){(uint8_t *)devs, 8 * made}));
}

/** Where the payload begins; then the buffer. */
static void versions(struct reader from) {
  static struct version found[MOST];
  size_t start = take(&from, 2);
  struct slice bytes = rest(&from);
  begin();
  u32 most = bytes.length / 24 + 1;
  u32 buffer = input(bytes.at, bytes.length), records = output(16 * most), text = output(bytes.length);
  int made = Z_codecZ_decodeVersions(&codec, buffer, bytes.length, start, records, most, text, bytes.length);
  check_guards();
  int rightly = read_versions(bytes.at, bytes.length, start, found);
  EXPECT(made >= 0 ? made == rightly : rightly < 0);
  if (made < 0) return;
  static uint8_t copy[MOST * 16], texts[1 << 17];
  u32 packed = 0;
  for (int i = 0; i < made; i++) {
    const uint8_t *record = memory + records + 16 * i;
    for (int part = 0; part < 3; part++) {
      EXPECT(little(record + 4 * part, 4) == found[i].version[part]);
    }
    EXPECT(little(record + 12, 4) == found[i].name.length);
    EXPECT(same(at(text + packed, found[i].name.length), found[i].name));
    packed += found[i].name.length;
  }
  EXPECT(cell(CELL_TEXT_LENGTH) == packed);
  EXPECT(cell(CELL_NOT_ASCII) == !is_ascii(at(text, packed)));
  memcpy(copy, memory + records, 16 * made);
  memcpy(texts, memory + text, packed);
  write_versions(&expected, found, made);
  begin();
  size_t capacity = 24 * (size_t)made + packed;
  records = input(copy, 16 * made);
  text = input(texts, packed);
  u32 out = output(capacity);
  int size = Z_codecZ_encodeVersions(&codec, out, capacity, records, made, text, packed);
  check_guards();
  EXPECT(size == (int)expected.length);
  EXPECT(same(at(out, size), whole(&expected)));
}

static void put_little(uint8_t *at, uint64_t value, int size) {
  for (int i = 0; i < size; i++) at[i] = value >> (8 * i);
}

/**
 * Settings, the interface's minor; then devices, types or numbers to be written, which have a NUL now and
 * then, or less text than they say, or a byte too little room.
 */
static void lists_out(struct reader from) {
  static uint8_t records[MOST * 24], texts[MOST];
  static struct device devices[MOST];
  static struct version versions[MOST];
  uint8_t how = take(&from, 1);
  u32 minor = take(&from, 1), lack = how >> 2 & 1, count = 0;
  size_t length = 0, needed;
  int kind = how & 3, size;
  bool right = lack == 0, whole_text = true;
  for (; from.left > 0; count++) {
    struct slice names[2] = {{0}, {0}};
    uint8_t *record = records + count * (kind == 0 ? 24 : kind == 1 ? 16 : 8);
    if (kind > 1) {
      put_little(record, take(&from, 8), 8);
      continue;
    }
    for (int i = 0; i < (kind == 0 ? 2 : 1); i++) {
      names[i] = take_slice(&from, take(&from, 1) % 32);
      right = right && !has_nul(names[i]);
      if (names[i].length > 0) memcpy(texts + length, names[i].at, names[i].length);
      length += names[i].length;
    }
    if (kind == 0) {
      struct device *device = &devices[count];
      *device = (struct device){.name = names[0], .uuid = names[1]};
      device->dev = take(&from, 2);
      device->event = take(&from, 1);
      device->flags = take(&from, 1);
      put_little(record, device->dev, 8);
      put_little(record + 8, device->name.length, 4);
      put_little(record + 12, device->uuid.length, 4);
      put_little(record + 16, device->event, 4);
      put_little(record + 20, device->flags, 4);
    } else {
      versions[count].name = names[0];
      for (int i = 0; i < 3; i++) put_little(record + 4 * i, versions[count].version[i] = take(&from, 1), 4);
      put_little(record + 12, names[0].length, 4);
    }
  }
  if (how & 8 && length > 0) {
    length--;
    whole_text = false;
  }
  begin();
  u32 in = input(records, count * (kind == 0 ? 24 : kind == 1 ? 16 : 8)), text = input(texts, length), out;
  if (kind == 0) {
    needed = 48 * (size_t)count + length + 8;
    out = output(needed - lack);
    size = Z_codecZ_encodeDevices(&codec, out, needed - lack, in, count, text, length, minor);
    write_devices(&expected, devices, count, minor);
  } else if (kind == 1) {
    needed = 24 * (size_t)count + length;
    if (needed == 0) return;
    out = output(needed - lack);
    size = Z_codecZ_encodeVersions(&codec, out, needed - lack, in, count, text, length);
    write_versions(&expected, versions, count);
    // What the kernel counts is more than it writes.
    if (right && whole_text) EXPECT(cell(CELL_END) == needed);
  } else {
    needed = 8 + 8 * (size_t)count;
    out = output(needed - lack);
    size = Z_codecZ_encodeDependencies(&codec, out, needed - lack, in, count);
    expected.length = needed;
    put_little(expected.at, count, 8);
    memcpy(expected.at + 8, records, 8 * count);
  }
  check_guards();
  right = right && whole_text;
  EXPECT(right ? size == (int)expected.length : size < 0);
  if (right) EXPECT(same(at(out, size), whole(&expected)));
}

/** Where it begins; then the buffer, of a string and of a message. */
static void string(struct reader from) {
  size_t start = take(&from, 2);
  struct slice bytes = rest(&from), text = {0};
  begin();
  u32 buffer = input(bytes.at, bytes.length);
  int length = Z_codecZ_decodeString(&codec, buffer, bytes.length, start);
  check_guards();
  bool taken = read_string(bytes.at, bytes.length, start, &text) > 0;
  EXPECT(taken ? length == (int)text.length : length < 0);
  length = Z_codecZ_decodeMessage(&codec, buffer, bytes.length, start);
  check_guards();
  taken = start < bytes.length && bytes.length - start > 8 &&
          read_string(bytes.at, bytes.length, start + 8, &text) > 0;
  EXPECT(taken ? length == (int)text.length : length < 0);
  if (taken) {
    EXPECT(little(bytes.at + start, 4) == cell(CELL_DEV_LOW));
    EXPECT(little(bytes.at + start + 4, 4) == cell(CELL_DEV_HIGH));
  }
}

/** A limit, how many words; then a text, as a string and as a message. */
static void string_out(struct reader from) {
  u32 limit = take(&from, 1), words = take(&from, 1) % 8;
  struct slice text = rest(&from);
  begin();
  u32 in = input(text.at, text.length), out = output(text.length + 1);
  int size = Z_codecZ_encodeString(&codec, out, text.length + 1, in, text.length, limit);
  check_guards();
  bool taken = text.length > 0 && text.length <= limit && !has_nul(text);
  EXPECT(taken ? size == (int)text.length + 1 : size < 0);
  if (taken) EXPECT(same(at(out, text.length), text) && memory[out + text.length] == 0);

  begin();
  size_t room_for = 2 * text.length + 9;
  in = input(text.at, text.length);
  out = output(room_for);
  size = Z_codecZ_encodeMessage(&codec, out, room_for, in, text.length, words, 7, 9);
  check_guards();
  if (words > 0) {
    taken = text.length > 0 && join(&expected, text, words) == 0;
  } else {
    taken = !is_blank_text(text) && !has_nul(text);
    expected.length = text.length;
    if (text.length > 0) memcpy(expected.at, text.at, text.length);
  }
  EXPECT(taken ? size == (int)expected.length + 9 : size < 0);
  if (!taken) return;
  EXPECT(little(memory + out, 8) == (9ull << 32 | 7) && same(at(out + 8, expected.length), whole(&expected)));
  EXPECT(memory[out + size - 1] == 0);
}

/** A text. */
static void words_apart(struct reader from) {
  struct slice text = rest(&from);
  begin();
  u32 in = input(text.at, text.length), out = output(text.length + 1);
  int made = Z_codecZ_splitWords(&codec, in, text.length, out, text.length + 1);
  check_guards();
  EXPECT(made == split(&expected, text));
  EXPECT(same(at(out, cell(CELL_TEXT_LENGTH)), whole(&expected)));
  EXPECT(cell(CELL_NOT_ASCII) == !is_ascii(whole(&expected)));
}

/** How many; then words with a NUL between two. */
static void words_together(struct reader from) {
  u32 count = take(&from, 1);
  struct slice words = rest(&from);
  begin();
  size_t room_for = 2 * words.length + 1;
  u32 in = input(words.at, words.length), out = output(room_for);
  int size = Z_codecZ_joinWords(&codec, in, words.length, count, out, room_for);
  check_guards();
  int rightly = join(&expected, words, count);
  EXPECT(rightly < 0 ? size < 0 : size == (int)expected.length);
  if (size >= 0) EXPECT(same(at(out, size), whole(&expected)));
}

/** A table's text. */
static void text(struct reader from) {
  static uint8_t lines[MOST * 4];
  struct slice given = rest(&from);
  if (given.length + 1 > sizeof lines) return;
  memcpy(lines, given.at, given.length);
  lines[given.length] = '\n';
  size_t length = given.length + 1;
  begin();
  size_t capacity = 48 * (length / 6 + 1) + 2 * length + 16;
  u32 in = input(lines, length), out = output(capacity);
  int size = Z_codecZ_encodeText(&codec, out, capacity, in, length);
  check_guards();
  int rightly = read_text(&expected, given);
  EXPECT(rightly < 0 ? size < 0 : size == (int)expected.length);
  if (size < 0) return;
  EXPECT(cell(CELL_COUNT) == (u32)rightly);
  EXPECT(same(at(out, size), whole(&expected)));
}

/** How it is read, how many lines less there is room for; a text. */
static void lines(struct reader from) {
  u32 how = take(&from, 1) & 3, missing = take(&from, 1) & 3;
  struct slice given = rest(&from);
  int rightly = read_lines(&expected, given, how & ABI_COMMENTS, how & ABI_NAMES);
  u32 room_for = (u32)rightly > missing ? rightly - missing : 0;
  begin();
  u32 in = input(given.at, given.length), out = output(room_for * ABI_LINE_SIZE);
  EXPECT((int)Z_codecZ_scanLines(&codec, in, given.length, out, room_for, how) == rightly);
  check_guards();
  for (u32 i = 0; i < room_for; i++) {
    uint8_t *row = memory + out + ABI_LINE_SIZE * i;
    u32 flaws = little(row + 20, 4);
    for (int field = 0; field < 2; field++) {
      if (flaws & 3 << 2 * field) memset(row + 8 * field, 0, 8);
    }
  }
  EXPECT(memcmp(memory + out, expected.at, room_for * ABI_LINE_SIZE) == 0);
}

/** Are there escapes, how many less there is room for; a text. */
static void separators(struct reader from) {
  bool escapes = take(&from, 1) & 1;
  u32 missing = take(&from, 1) & 3;
  struct slice given = rest(&from);
  int rightly = read_separators(&expected, given, escapes);
  u32 room_for = (u32)rightly > missing ? rightly - missing : 0;
  begin();
  u32 in = input(given.at, given.length), out = output(4 * room_for);
  EXPECT((int)Z_codecZ_findSeparators(&codec, in, given.length, out, room_for, escapes) == rightly);
  check_guards();
  EXPECT(memcmp(memory + out, expected.at, 4 * room_for) == 0);
}

/** Targets: kind, sectors, type, parameters; some of them such as must be refused. */
static void encode_table(struct reader from) {
  static struct row rows[64];
  static struct buffer escaped[64];
  static uint8_t records[64 * 24], types[64 * 16], texts[1 << 16];
  bool reply = take(&from, 1) & 1;
  size_t length = 0;
  u32 count = 0, words = 0;
  bool right = true;
  while (from.left > 0 && count < 64) {
    uint8_t how = take(&from, 1);
    struct row *row = &rows[count];
    uint8_t *record = records + 24 * count, *type = types + 16 * count;
    u32 kind = how % 3 | count << ABI_TYPE_SHIFT;
    row->start = take(&from, how & 8 ? 8 : 2);
    row->length = take(&from, 2);
    memcpy(record, &row->start, 8);
    memcpy(record + 8, &row->length, 8);
    if (how & 16) {
      // The bits of a double, which need not be a whole number.
      double value;
      kind |= ABI_FLOAT_START;
      if (how & 8) memcpy(&value, record, 8);
      else value = (double)row->start;
      memcpy(record, &value, 8);
      bool sector = value >= 0 && value <= 9007199254740991.0 && floor(value) == value;
      right = right && sector;
      if (sector) row->start = (uint64_t)value;
    }
    struct slice name = take_slice(&from, take(&from, 1) % 17);
    memset(type, 0, 16);
    memcpy(type, name.at, name.length);
    // A row of the types ends at its first NUL; the host sees to it that nothing follows.
    for (size_t i = 0; i < name.length; i++) {
      if (type[i] == 0) memset(type + i, 0, 16 - i);
    }
    row->type = (struct slice){type, strnlen((char *)type, 16)};
    right = right && row->type.length > 0 && row->type.length < 16;
    struct slice given = take_slice(&from, take(&from, 1) % 64);
    struct buffer *own = &escaped[count];
    int status = 0;
    if (how % 3 == 2) {
      u32 here = 1;
      for (size_t i = 0; i < given.length; i++) here += given.at[i] == 0;
      status = join(own, given, given.length == 0 ? 1 : here);
      words += here;
    } else {
      if (has_nul(given)) status = -1;
      if (how % 3 == 1) {
        if (status == 0) status = escape_line(own, given);
      } else {
        memcpy(own->at, given.at, given.length);
        own->length = given.length;
      }
    }
    right = right && status >= 0;
    row->parameters = whole(own);
    u32 size = given.length;
    memcpy(record + 16, &size, 4);
    memcpy(record + 20, &kind, 4);
    memcpy(texts + length, given.at, given.length);
    length += given.length;
    count++;
  }
  begin();
  size_t capacity = 48 * (size_t)count + 2 * length + 16;
  u32 in_records = input(records, 24 * count), in_types = input(types, 16 * count);
  u32 in_texts = input(texts, length), out = output(capacity);
  int size = Z_codecZ_encodeTable(&codec, out, capacity, in_records, count, in_types, count, in_texts,
                                  length, reply);
  check_guards();
  EXPECT(right == (size >= 0));
  if (!right) return;
  write_table(&expected, rows, count, reply);
  EXPECT(same(at(out, size), whole(&expected)));
  EXPECT(cell(CELL_COUNT) == words);
  check_end(rows, count);
}

// ── Any arguments at all ───────────────────────────────────────────────────────────────────────────

/** As small as it may be, so that all of its memory can be compared each time. */
static Z_codec_instance_t tiny;
static uint8_t *fresh;

#define CALL(name, ...)                                                                                    \
  static int any_##name(const u32 *a) { return Z_codecZ_##name(&tiny, __VA_ARGS__); }
CALL(encodeHeader, a[0], a[1])
CALL(decodeHeader, a[0], a[1])
CALL(encodeTable, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8])
CALL(decodeTable, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10])
CALL(encodeText, a[0], a[1], a[2], a[3])
CALL(encodeDevices, a[0], a[1], a[2], a[3], a[4], a[5], a[6])
CALL(decodeDevices, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7])
CALL(encodeDependencies, a[0], a[1], a[2], a[3])
CALL(decodeDependencies, a[0], a[1], a[2], a[3], a[4])
CALL(encodeVersions, a[0], a[1], a[2], a[3], a[4], a[5])
CALL(decodeVersions, a[0], a[1], a[2], a[3], a[4], a[5], a[6])
CALL(encodeString, a[0], a[1], a[2], a[3], a[4])
CALL(decodeString, a[0], a[1], a[2])
CALL(encodeMessage, a[0], a[1], a[2], a[3], a[4], a[5], a[6])
CALL(decodeMessage, a[0], a[1], a[2])
CALL(splitWords, a[0], a[1], a[2], a[3])
CALL(joinWords, a[0], a[1], a[2], a[3], a[4])
CALL(scanLines, a[0], a[1], a[2], a[3], a[4])
CALL(findSeparators, a[0], a[1], a[2], a[3], a[4])

/**
 * `i` and `o` are addresses, to read and to write. Behind an `o` is the size, in the unit that `unit` says,
 * and behind an `i` an `n` is the number of bytes, if nothing else makes the area.
 */
static const struct {
  int (*call)(const u32 *arguments);
  const char *kinds;
} exports[] = {
    {any_encodeHeader, "ob"},          {any_decodeHeader, "in"},
    {any_encodeTable, "obi.i.i.."},    {any_decodeTable, "i...otob..."},
    {any_encodeText, "obi."},          {any_encodeDevices, "obi.i.."},
    {any_decodeDevices, "in.odob."},   {any_encodeDependencies, "obi."},
    {any_decodeDependencies, "in.ob"}, {any_encodeVersions, "obi.i."},
    {any_decodeVersions, "in.ovob"},   {any_encodeString, "obin."},
    {any_decodeString, "in."},         {any_encodeMessage, "obin..."},
    {any_decodeMessage, "in."},        {any_splitWords, "inob"},
    {any_joinWords, "in.ob"},          {any_scanLines, "inol."},
    {any_findSeparators, "inos."},
};

static u32 unit(char kind) {
  switch (kind) {
    case 't': return ABI_TARGET_INDEX_SIZE;
    case 'd': return ABI_DEVICE_RECORD_SIZE;
    case 'v': return ABI_VERSION_RECORD_SIZE;
    case 'l': return ABI_LINE_SIZE;
    case 's': return 4;
    default: return 1;
  }
}

struct call {
  int which;
  u32 arguments[11];
};

/** An export, and of each argument what it is near to, and how near. */
static struct call take_call(struct reader *from) {
  struct call call = {take(from, 1) % (sizeof exports / sizeof *exports), {0}};
  for (int i = 0; exports[call.which].kinds[i] != 0; i++) {
    uint8_t how = take(from, 1);
    u32 value = take(from, how & 1 ? 2 : 1);
    switch (how >> 1 & 7) {
      case 0: break;
      case 1: value = -value; break;
      case 2: value = tiny.w2c_memory.size - value; break;
      // Times the size of a record it is near 2^32.
      case 3: value = (u32)((1ull << 32) / (value % 32 + 1)) + value / 32; break;
      case 4: value = base - value; break;
      case 5: value = value << 16 | take(from, 2); break;
      default: value = base + value; break;
    }
    call.arguments[i] = value;
  }
  return call;
}

static uint8_t *tiny_cells(void) { return tiny.w2c_memory.data + Z_codecZ_controlBlock(&tiny); }
static bool in_cells(u32 at) { return at - Z_codecZ_controlBlock(&tiny) < 4 * CELLS; }

/** The memory as it was at first, with `bytes` where areas begin; what the cells hold may stay. */
static void restore(struct slice bytes, bool keep_cells) {
  u32 block = Z_codecZ_controlBlock(&tiny), behind = block + 4 * CELLS;
  memcpy(tiny.w2c_memory.data, fresh, block);
  if (!keep_cells) memcpy(tiny_cells(), fresh + block, 4 * CELLS);
  memcpy(tiny.w2c_memory.data + behind, fresh + behind, tiny.w2c_memory.size - behind);
  if (bytes.length > 0) memcpy(tiny.w2c_memory.data + base, bytes.at, bytes.length);
}

/** The lengths of a header's strings are arguments as well. */
static void set_lengths(const struct call *call, u32 name, u32 uuid) {
  bool header = exports[call->which].call == any_encodeHeader || exports[call->which].call == any_decodeHeader;
  if (!header) return;
  memset(tiny_cells(), 0, 4 * CELLS);
  memcpy(tiny_cells() + 4 * CELL_NAME_LENGTH, &name, 4);
  memcpy(tiny_cells() + 4 * CELL_UUID_LENGTH, &uuid, 4);
}

/** A call: no trap, refused if an area is not inside and only then, nothing written but cells and outputs. */
static void bounds(struct reader from) {
  static uint8_t before[1 << 17];
  struct call call = take_call(&from);
  u32 name = take(&from, 4), uuid = take(&from, 4);
  u32 size = tiny.w2c_memory.size;
  restore(rest(&from), false);
  set_lengths(&call, name, uuid);
  memcpy(before, tiny.w2c_memory.data, size);
  int answer = exports[call.which].call(call.arguments);
  EXPECT(tiny.w2c_memory.size == size);
  const char *kinds = exports[call.which].kinds;
  struct { u32 from, to; } outputs[2] = {{0, 0}, {0, 0}};
  int count = 0;
  bool outside = false, known = true;
  for (int i = 0; kinds[i] != 0; i++) {
    if (kinds[i] != 'i' && kinds[i] != 'o') continue;
    if (kinds[i + 1] == '.') {
      known = false;
      continue;
    }
    u32 at = call.arguments[i];
    uint64_t end = at + (uint64_t)call.arguments[i + 1] * unit(kinds[i + 1]) + SLACK;
    if (end > size) outside = true;
    else if (kinds[i] == 'o') outputs[count].from = at, outputs[count++].to = end;
  }
  if (outside || known) EXPECT((answer == STATUS_OUT_OF_BOUNDS) == outside);
  for (u32 line = 0; line < size; line += 64) {
    if (memcmp(tiny.w2c_memory.data + line, before + line, 64) == 0) continue;
    for (u32 i = line; i < line + 64; i++) {
      if (tiny.w2c_memory.data[i] == before[i]) continue;
      bool given = (i >= outputs[0].from && i < outputs[0].to) || (i >= outputs[1].from && i < outputs[1].to);
      EXPECT(given || in_cells(i));
    }
  }
}

/** Two calls: the first answers and writes the same once the second was made. */
static void interleaved(struct reader from) {
  static uint8_t first[1 << 17];
  struct call calls[2];
  // An area over the module's own bytes would see what the other call left in the cells.
  for (int c = 0; c < 2; c++) {
    calls[c] = take_call(&from);
    for (int i = 0; exports[calls[c].which].kinds[i] != 0; i++) {
      if (strchr("io", exports[calls[c].which].kinds[i]) && calls[c].arguments[i] < base) return;
    }
  }
  u32 name = take(&from, 1), uuid = take(&from, 1), size = tiny.w2c_memory.size;
  struct slice bytes = rest(&from);
  uint8_t cells_before[4 * CELLS];

  restore(bytes, false);
  set_lengths(&calls[0], name, uuid);
  int answer = exports[calls[0].which].call(calls[0].arguments);
  memcpy(first, tiny.w2c_memory.data, size);
  restore(bytes, true);
  exports[calls[1].which].call(calls[1].arguments);
  restore(bytes, true);
  set_lengths(&calls[0], name, uuid);
  memcpy(cells_before, tiny_cells(), sizeof cells_before);
  EXPECT(exports[calls[0].which].call(calls[0].arguments) == answer);

  u32 block = Z_codecZ_controlBlock(&tiny), behind = block + 4 * CELLS;
  EXPECT(memcmp(tiny.w2c_memory.data, first, block) == 0);
  EXPECT(memcmp(tiny.w2c_memory.data + behind, first + behind, size - behind) == 0);
  // A cell that the call does not write keeps what it held.
  for (int i = 0; i < 4 * CELLS; i += 4) {
    EXPECT(memcmp(tiny_cells() + i, first + block + i, 4) == 0 ||
           memcmp(tiny_cells() + i, cells_before + i, 4) == 0);
  }
}

static const struct {
  const char *name;
  void (*run)(struct reader);
} targets[] = {
    {"header", header},           {"header-out", header_out},       {"table-request", table_request},
    {"table-reply", table_reply}, {"devices", devices},             {"deps", deps},
    {"versions", versions},       {"lists-out", lists_out},         {"string", string},
    {"string-out", string_out},   {"split", words_apart},           {"join", words_together},
    {"text", text},               {"encode-table", encode_table},   {"bounds", bounds},
    {"interleaved", interleaved}, {"lines", lines},               {"separators", separators},
};

static void (*run)(struct reader);

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  Z_codec_init_module();
  Z_codec_instantiate(&codec);
  room = 1 << 20;
  base = Z_codecZ_reserve(&codec, room);
  memory = codec.w2c_memory.data;
  Z_codec_instantiate(&tiny);
  fresh = malloc(tiny.w2c_memory.size);
  memcpy(fresh, tiny.w2c_memory.data, tiny.w2c_memory.size);
  const char *wanted = getenv("FUZZ_TARGET");
  for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
    if (wanted != NULL && strcmp(wanted, targets[i].name) == 0) run = targets[i].run;
    if (wanted == NULL) puts(targets[i].name);
  }
  if (run == NULL) exit(2);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > MOST) return 0;
  run((struct reader){data, size});
  return 0;
}
