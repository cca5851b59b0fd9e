package dev.ashlar.raft.core;

/**
 * Something that Raft says cannot be: a member whose disk lost what it acknowledged, or a leader
 * that contradicts what is committed. The member stops; nothing is cut, nothing acknowledged.
 */
public final class RaftFault extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** What cannot be. */
  public enum Kind {
    /** A leader's entry differs from a committed one (Raft §5.4.3, State Machine Safety). */
    COMMITTED_CONFLICT,
    /** This member's log is shorter than what it acknowledged: its disk went back in time. */
    LOG_REGRESSED,
    /** Two leaders in one term (Raft §5.2, Election Safety). */
    TWO_LEADERS
  }

  private final Kind kind;

  RaftFault(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  /** Which of them. */
  public Kind kind() {
    return kind;
  }
}
