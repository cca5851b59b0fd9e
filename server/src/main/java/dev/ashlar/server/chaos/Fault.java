package dev.ashlar.server.chaos;

/** What is done to a cluster. */
enum Fault {
  /** {@code kill -9} of one, the leader, a majority or all. */
  KILL,
  /** SIGTERM, so that leadership is handed over. */
  STOP,
  /** SIGSTOP for a while. */
  PAUSE,
  /** Members that do not hear others, in one direction or both, or only not on the log lane. */
  PARTITION,
  /** A disk without a free byte. */
  FULL,
  /** A disk that stands still for a while. */
  HANG,
  /** Power is cut: what was not synced is gone, of one, a majority or all. */
  POWER,
  /** One call on a member's storage fails: a write, a sync, a truncation or an open. */
  CALL,
  /** A member gets a hundredth of its time. */
  SLOW,
  /** A wall clock steps by an hour. */
  CLOCK,
  /** The file of a member that is down is damaged. */
  DAMAGE,
  /** A member wiped, added or removed. */
  CHURN
}
