// A second codec, a byte at a time and from the protocol's description alone (struct dm_ioctl and what
// stands behind it, include/uapi/linux/dm-ioctl.h). It shares nothing with the one that it judges.

#ifndef ORACLE_H
#define ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEADER = 312, LEAST = 305, SPEC = 40, MOST = 4096 };

/** Bytes that something else owns. */
struct slice {
  const uint8_t *at;
  size_t length;
};

struct row {
  uint64_t start, length;
  struct slice type, parameters;
};

struct device {
  uint64_t dev;
  struct slice name, uuid;
  uint32_t event, flags;
};

struct version {
  uint32_t version[3];
  struct slice name;
};

/** A buffer that is written. */
struct buffer {
  uint8_t at[1 << 20];
  size_t length;
};

uint64_t little(const uint8_t *at, int size);
bool same(struct slice a, struct slice b);

/** Each answers how many there are, or -1 if the bytes break the protocol. */
int read_header(const uint8_t *bytes, size_t length, struct slice *name, struct slice *uuid);
int read_table(const uint8_t *bytes, size_t length, size_t start, uint32_t count, bool reply, bool full,
               bool wide, struct row *rows);
int read_devices(const uint8_t *bytes, size_t length, size_t start, uint32_t minor, struct device *devices);
int read_deps(const uint8_t *bytes, size_t length, size_t start, uint64_t *devs);
int read_versions(const uint8_t *bytes, size_t length, size_t start, struct version *versions);
int read_string(const uint8_t *bytes, size_t length, size_t start, struct slice *text);

void write_table(struct buffer *out, const struct row *rows, int count, bool reply);
void write_devices(struct buffer *out, const struct device *devices, int count, uint32_t minor);
void write_versions(struct buffer *out, const struct version *versions, int count);

/** Nothing but blanks, or nothing at all. */
bool is_blank_text(struct slice text);
/** Words, each with a NUL behind it. */
int split(struct buffer *out, struct slice text);
/** Words that have a NUL between two of them; -1 if one is empty or blank, or there are not `count`. */
int join(struct buffer *out, struct slice words, uint32_t count);
/** Parameters as a line of dmsetup's; -1 for a NUL. */
int escape_line(struct buffer *out, struct slice line);
/** A table's text, to a chain of specs; -1 for what dmsetup refuses, or wraps around. */
int read_text(struct buffer *out, struct slice text);
/**
 * A text's lines, 16 numbers of 4 bytes each, as the module tells them; the two sectors are 0 in a line in
 * which they are wrong.
 */
int read_lines(struct buffer *out, struct slice text, bool comments, bool names);
/** Where `,` and `;` stand, 4 bytes each. */
int read_separators(struct buffer *out, struct slice text, bool escapes);

#endif
