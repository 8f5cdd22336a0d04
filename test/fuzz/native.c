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

enum { SLACK = 8, GUARD = 32, PATTERN = 0xc5, AREAS = 8 };

/** The areas of the call at hand, with bytes between them that nobody may write. */
static struct { u32 at, size; } areas[AREAS];
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
  areas[used++].size = size;
  return at;
}

static u32 input(const void *bytes, size_t length) { return area(bytes, length, length); }
static u32 output(size_t size) { return area(NULL, 0, size); }

static void begin(void) {
  used = 0;
  top = base;
}

/** Nothing between the areas was written. */
static void check_guards(void) {
  u32 from = base;
  for (int i = 0; i < used; i++) {
    for (u32 at = from; at < areas[i].at; at++) EXPECT(memory[at] == PATTERN);
    from = areas[i].at + areas[i].size + SLACK;
  }
  for (u32 at = from; at < from + GUARD; at++) EXPECT(memory[at] == PATTERN);
}

static uint8_t *cells(void) { return memory + Z_codecZ_controlBlock(&codec); }
static u32 cell(int index) { return little(cells() + 4 * index, 4); }

static struct slice at(u32 address, size_t length) { return (struct slice){memory + address, length}; }
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
  // And back.
  u32 out = output(HEADER);
  memcpy(memory + Z_codecZ_nameSlot(&codec), name.at, name.length);
  memcpy(memory + Z_codecZ_uuidSlot(&codec), uuid.at, uuid.length);
  EXPECT(Z_codecZ_encodeHeader(&codec, out, HEADER) == HEADER);
  check_guards();
  uint8_t again[HEADER] = {0};
  memcpy(again, bytes.at, 48);
  memcpy(again + 48, name.at, name.length);
  memcpy(again + 176, uuid.at, uuid.length);
  EXPECT(memcmp(memory + out, again, HEADER) == 0);
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
  size_t padding = count == 0 ? 0 : 7 - rows[count - 1].parameters.length % 8;
  EXPECT(cell(CELL_END) == expected.length - padding);
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
    for (size_t k = 0; k < rows[i].parameters.length; k++) ascii = ascii && rows[i].parameters.at[k] < 0x80;
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

/** A limit; then a text, as a string and as a message. */
static void string_out(struct reader from) {
  u32 limit = take(&from, 1);
  struct slice text = rest(&from);
  bool nul = text.length > 0 && memchr(text.at, 0, text.length) != NULL;
  begin();
  u32 in = input(text.at, text.length), out = output(text.length + 1);
  int size = Z_codecZ_encodeString(&codec, out, text.length + 1, in, text.length, limit);
  check_guards();
  bool taken = text.length > 0 && text.length <= limit && !nul;
  EXPECT(taken ? size == (int)text.length + 1 : size < 0);
  if (taken) EXPECT(same(at(out, text.length), text) && memory[out + text.length] == 0);

  begin();
  size_t room_for = 2 * text.length + 9;
  in = input(text.at, text.length);
  out = output(room_for);
  size = Z_codecZ_encodeMessage(&codec, out, room_for, in, text.length, 0, 7, 9);
  check_guards();
  static struct buffer parts;
  taken = split(&parts, text) + text.length > 0 && !nul && text.length > 0;
  bool blank = true;
  for (size_t i = 0; i < text.length; i++) {
    uint8_t byte = text.at[i];
    blank = blank && (byte == ' ' || byte == 0xa0 || (byte >= 9 && byte <= 13));
  }
  taken = taken && !blank;
  EXPECT(taken ? size == (int)text.length + 9 : size < 0);
  if (taken) EXPECT(little(memory + out, 8) == (9ull << 32 | 7) && same(at(out + 8, text.length), text));
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
      bool blank = given.length > 0;
      for (size_t i = 0; i < given.length; i++) {
        uint8_t byte = given.at[i];
        blank = blank && (byte == ' ' || byte == 0xa0 || (byte >= 9 && byte <= 13));
        if (byte == 0) status = -1;
      }
      if (how % 3 == 1) {
        if (blank) status = -1;
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
}

/** An export and its arguments, small or near 2^32: no trap, and all memory below the areas stays. */
static void bounds(struct reader from) {
  uint8_t which = take(&from, 1) % 16;
  u32 arguments[11];
  for (int i = 0; i < 11; i++) {
    uint8_t how = take(&from, 1);
    u32 value = take(&from, how & 1 ? 1 : 2);
    switch (how >> 1 & 3) {
      case 0: arguments[i] = value; break;
      case 1: arguments[i] = base + value; break;
      case 2: arguments[i] = -value; break;
      default: arguments[i] = (u32)codec.w2c_memory.size - value; break;
    }
  }
  u32 *a = arguments;
  struct slice bytes = rest(&from);
  // What an export is given lies anywhere, also over each other; what is below is the module's own.
  memcpy(memory + base, bytes.at, bytes.length);
  static uint8_t own[1 << 16];
  u32 slots = Z_codecZ_controlBlock(&codec);
  EXPECT(base <= sizeof own);
  memcpy(own, memory, base);
  // An area that begins below is the module's own as well, and a host's mistake.
  for (int i = 0; i < 11; i++) {
    if (a[i] < base && a[i] > 4096) return;
  }
  switch (which) {
    case 0: Z_codecZ_decodeHeader(&codec, a[0], a[1]); break;
    case 1: if (a[0] >= base) Z_codecZ_encodeHeader(&codec, a[0], a[1]); break;
    case 2: if (a[4] >= base) Z_codecZ_decodeDependencies(&codec, a[0], a[1], a[2], a[3] | base, a[4]); break;
    case 3: Z_codecZ_decodeDevices(&codec, a[0], a[1], a[2], a[3] | base, a[4], a[5] | base, a[6], a[7]); break;
    case 4: Z_codecZ_decodeVersions(&codec, a[0], a[1], a[2], a[3] | base, a[4], a[5] | base, a[6]); break;
    case 5: Z_codecZ_encodeDependencies(&codec, a[0] | base, a[1], a[2], a[3]); break;
    case 6: Z_codecZ_encodeDevices(&codec, a[0] | base, a[1], a[2], a[3], a[4], a[5], a[6]); break;
    case 7: Z_codecZ_encodeVersions(&codec, a[0] | base, a[1], a[2], a[3], a[4], a[5]); break;
    case 8: Z_codecZ_decodeMessage(&codec, a[0], a[1], a[2]); break;
    case 9: Z_codecZ_encodeMessage(&codec, a[0] | base, a[1], a[2], a[3], a[4], a[5], a[6]); break;
    case 10: Z_codecZ_encodeString(&codec, a[0] | base, a[1], a[2], a[3], a[4]); break;
    case 11:
      Z_codecZ_decodeTable(&codec, a[0], a[1], a[2], a[3], a[4] | base, a[5], a[6] | base, a[7], a[8] & 1,
                           a[9] & 1, a[10] & 1);
      break;
    case 12:
      Z_codecZ_encodeTable(&codec, a[0] | base, a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8] & 1);
      break;
    case 13: Z_codecZ_encodeText(&codec, a[0] | base, a[1], a[2], a[3]); break;
    case 14: Z_codecZ_joinWords(&codec, a[0], a[1], a[2], a[3] | base, a[4]); break;
    default: Z_codecZ_splitWords(&codec, a[0], a[1], a[2] | base, a[3]); break;
  }
  for (u32 i = 0; i < base; i++) {
    bool cells_own = i >= slots && i < slots + 4 * 32;
    EXPECT(cells_own || memory[i] == own[i]);
  }
}

/** Two replies, half of the input each: the second changes nothing of what the first says. */
static void interleaved(struct reader from) {
  static uint8_t first_out[1 << 17];
  uint8_t count = take(&from, 1);
  struct slice one = take_slice(&from, from.left / 2), other = rest(&from);
  int answers[2];
  u32 ends[2];
  for (int round = 0; round < 2; round++) {
    begin();
    u32 most = one.length / 41 + 1;
    u32 buffer = input(one.at, one.length), index = output(24 * most), text = output(one.length);
    answers[round] = Z_codecZ_decodeTable(&codec, buffer, one.length, 0, count, index, most, text, one.length,
                                          1, 1, 1);
    ends[round] = cell(CELL_TEXT_LENGTH);
    if (answers[round] >= 0) {
      size_t size = 24 * answers[round];
      if (round == 0) memcpy(first_out, memory + index, size);
      else EXPECT(memcmp(first_out, memory + index, size) == 0);
    }
    begin();
    buffer = input(other.at, other.length);
    most = other.length / 16 + 1;
    index = output(24 * most);
    text = output(other.length);
    Z_codecZ_decodeDevices(&codec, buffer, other.length, 0, index, most, text, other.length, 50);
    Z_codecZ_splitWords(&codec, buffer, other.length, text, other.length);
  }
  EXPECT(answers[0] == answers[1]);
  if (answers[0] >= 0) EXPECT(ends[0] == ends[1]);
}

static const struct {
  const char *name;
  void (*run)(struct reader);
} targets[] = {
    {"header", header},           {"table-request", table_request}, {"table-reply", table_reply},
    {"devices", devices},         {"deps", deps},                   {"versions", versions},
    {"string", string},           {"string-out", string_out},       {"split", words_apart},
    {"join", words_together},     {"text", text},                   {"encode-table", encode_table},
    {"bounds", bounds},           {"interleaved", interleaved},
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
