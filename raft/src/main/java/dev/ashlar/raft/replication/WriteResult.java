package dev.ashlar.raft.replication;

import dev.ashlar.block.engine.Outcome;

/** The three ends of a write. */
public sealed interface WriteResult {

  /**
   * It was applied.
   *
   * @param outcome what it did, the same on every replica
   * @param index the log index of its entry
   */
  record Done(Outcome outcome, long index) implements WriteResult {}

  /**
   * It was certainly not done, and will not be.
   *
   * @param reason why
   */
  record NotDone(Reason reason) implements WriteResult {}

  /** It left this node, or was appended, and then contact or leadership was lost. */
  record Unknown() implements WriteResult {}

  /** Why a write was not done. */
  enum Reason {
    /** The member that was asked does not lead. */
    NOT_LEADER(1),
    /** No leader was found in time. */
    NO_LEADER(2),
    /** Too much is waiting already. */
    BUSY(3),
    /** There is no room for more blocks. */
    NO_SPACE(4),
    /** The member is stopping. */
    STOPPING(5),
    /** Not every member is known to know such a command. */
    UNSUPPORTED(6);

    private final int code;

    Reason(int code) {
      this.code = code;
    }

    /** The number on the wire (docs/format.md, "Results"). */
    public int code() {
      return code;
    }
  }
}
