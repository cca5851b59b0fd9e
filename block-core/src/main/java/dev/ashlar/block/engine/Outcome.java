package dev.ashlar.block.engine;

/** What an applied entry did. It follows from the entries before it alone. */
public enum Outcome {
  /** A put made the block live. */
  CREATED,
  /** A put or touch found the block live, and renewed the index of its last put. */
  EXISTED,
  /** A touch found the block gone: it has to be put again, with its bytes. */
  GONE,
  /** A delete removed the block. */
  DELETED,
  /** A delete found no block. */
  ABSENT,
  /** The entry is about something else. */
  NONE
}
