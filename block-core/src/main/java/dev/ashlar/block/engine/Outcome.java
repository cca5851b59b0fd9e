package dev.ashlar.block.engine;

import java.util.Arrays;
import java.util.Optional;

/** What an applied entry did. It follows from the entries before it alone. */
public enum Outcome {
  /** A put made the block live. */
  CREATED(0),
  /** A put or touch found the block live, and renewed the index of its last put. */
  EXISTED(1),
  /** A touch found the block gone: it has to be put again, with its bytes. */
  GONE(2),
  /** A delete removed the block. */
  DELETED(3),
  /** A delete found no block. */
  ABSENT(4),
  /** The entry is about something else. */
  NONE(5),
  /** All changes of roots took effect. */
  CHANGED(6),
  /** A root was not as expected, or was set after the marking: nothing took effect. */
  CONFLICT(7),
  /** Those of the blocks that still were garbage were removed. */
  COLLECTED(8);

  private final int code;

  Outcome(int code) {
    this.code = code;
  }

  /** The number on disk and on the wire (docs/format.md, "Results"). */
  public int code() {
    return code;
  }

  /** The outcome of a number; empty where it is not known. */
  public static Optional<Outcome> of(int code) {
    return Arrays.stream(values()).filter(outcome -> outcome.code == code).findFirst();
  }
}
