/**
 * Every way an encode or a decode can stop. An export answers a size, a count or an address (0 or
 * more), or one of these; {@link Cell}.FAIL_* then say where, for one that is about the input.
 * `host/wire.ts` has the words.
 */
export enum Status {
  /** An address or a length points outside the module's memory, or a field outside its area. */
  OUT_OF_BOUNDS = -1,
  /** The memory cannot grow as far as asked. */
  OUT_OF_MEMORY = -2,
  /** The output area is smaller than the worst case of the input. */
  OUTPUT_TOO_SMALL = -3,

  NAME_TOO_LONG = -4,
  NAME_HAS_NUL = -5,
  UUID_TOO_LONG = -6,
  UUID_HAS_NUL = -7,

  START_NOT_A_SECTOR = -8,
  LENGTH_NOT_A_SECTOR = -9,
  TYPE_EMPTY = -10,
  TYPE_TOO_LONG = -11,
  PARAMETER_EMPTY = -12,
  PARAMETER_BLANK = -13,
  PARAMETER_HAS_NUL = -14,

  LINE_NO_START = -15,
  LINE_NO_LENGTH = -16,
  LINE_NO_TYPE = -17,
  LINE_NUMBER_TOO_LARGE = -18,
  LINE_HAS_NUL = -19,

  HEADER_TRUNCATED = -20,
  NAME_UNTERMINATED = -21,
  UUID_UNTERMINATED = -22,
  NEXT_UNALIGNED = -23,
  NEXT_OVERLAPS = -24,
  NEXT_BEYOND_DATA = -25,
  RECORD_TRUNCATED = -26,
  TYPE_UNTERMINATED = -27,
  PARAMETERS_UNTERMINATED = -28,
  NUMBER_TOO_LARGE = -29,
  DEV_TOO_LARGE = -30,
  COUNT_BEYOND_DATA = -31,

  TEXT_EMPTY = -32,
  TEXT_TOO_LONG = -33,
  TEXT_HAS_NUL = -34,
  TEXT_UNTERMINATED = -35,
}

/**
 * The control block: u32 cells at a fixed address, by which the host gives the values of a header and
 * gets back what one i32 cannot say. Up to DEV_HIGH they lie as in struct dm_ioctl, so that a header is
 * copied and not written field by field; the rest is the module's own.
 */
export enum Cell {
  VERSION_MAJOR,
  VERSION_MINOR,
  VERSION_PATCH,
  DATA_SIZE,
  DATA_START,
  TARGET_COUNT,
  OPEN_COUNT,
  FLAGS,
  EVENT_NR,
  PADDING,
  DEV_LOW,
  DEV_HIGH,
  /** Bytes of the two strings: of those in their slots, and after a decode of those in the header. */
  NAME_LENGTH,
  UUID_LENGTH,

  /** After a failure: the target, record or argument it is about, its byte and its word. */
  FAIL_INDEX,
  FAIL_OFFSET,
  FAIL_WORD,

  /** After a decode: bytes of packed text, and whether one of them is above 0x7f. */
  TEXT_LENGTH,
  NOT_ASCII,
  /** After an encode of text: how many targets it had. After a reply's decode: records made. */
  COUNT,
  /** After a reply's encode or decode: where the last string ends, padding left out. */
  END,
}
