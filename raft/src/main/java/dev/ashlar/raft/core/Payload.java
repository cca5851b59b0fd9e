package dev.ashlar.raft.core;

/** What an entry carries, as far as the core tells it apart. */
public sealed interface Payload {

  /** Nothing: begins a leader's term (thesis §6.4, step 1). */
  record NoOp() implements Payload {}

  /** A membership, in force from the moment it is appended (thesis §4.1). */
  record Configuration(Membership membership) implements Payload {}

  /**
   * A command of the state machine. The core never looks into it.
   *
   * @param content belongs to whoever proposed it; handed through as it is
   */
  record Command(Object content) implements Payload {}
}
