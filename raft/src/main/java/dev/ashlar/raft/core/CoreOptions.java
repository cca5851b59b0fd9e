package dev.ashlar.raft.core;

/**
 * Times and limits of the core. Times are in ticks.
 *
 * @param heartbeatTicks between two heartbeats
 * @param electionTicksMin the shortest election timeout, more than two heartbeats
 * @param electionTicksMax the longest
 * @param appendBytesMax the most bytes of entries in one AppendEntries, or one entry
 * @param appendEntriesMax the most entries in one AppendEntries
 * @param inflightBytesMax how many bytes may be under way to one peer, or one message
 * @param inflightMessagesMax how many messages of entries may be under way to one peer
 * @param probeBytesMax how many bytes of entries a probe may carry
 * @param uncommittedBytesMax how many bytes a leader takes that are not committed, or one entry
 */
public record CoreOptions(
    int heartbeatTicks,
    int electionTicksMin,
    int electionTicksMax,
    int appendBytesMax,
    int appendEntriesMax,
    long inflightBytesMax,
    int inflightMessagesMax,
    int probeBytesMax,
    long uncommittedBytesMax) {

  /** With a tick of 20 ms: heartbeats of 100 ms, election timeouts of 500 to 1000 ms. */
  public static final CoreOptions DEFAULT =
      new CoreOptions(5, 25, 50, 2 << 20, 4096, 8 << 20, 64, 64 << 10, 128 << 20);

  /** Checks the ranges. */
  public CoreOptions {
    if (heartbeatTicks < 1
        || electionTicksMin <= 2 * heartbeatTicks
        || electionTicksMax < electionTicksMin) {
      throw new IllegalArgumentException(
          "an election timeout is more than two heartbeats: "
              + heartbeatTicks
              + ", "
              + electionTicksMin
              + ", "
              + electionTicksMax);
    }
    if (appendBytesMax < 1
        || appendEntriesMax < 1
        || inflightBytesMax < 1
        || inflightMessagesMax < 1
        || probeBytesMax < 0
        || uncommittedBytesMax < 1) {
      throw new IllegalArgumentException("limits are at least 1");
    }
  }

  /** The same with another bound of what is not committed. */
  public CoreOptions withUncommitted(long bytesMax) {
    return new CoreOptions(
        heartbeatTicks,
        electionTicksMin,
        electionTicksMax,
        appendBytesMax,
        appendEntriesMax,
        inflightBytesMax,
        inflightMessagesMax,
        probeBytesMax,
        bytesMax);
  }

  /** The same with other times. */
  public CoreOptions withTimes(int heartbeat, int electionMin, int electionMax) {
    return new CoreOptions(
        heartbeat,
        electionMin,
        electionMax,
        appendBytesMax,
        appendEntriesMax,
        inflightBytesMax,
        inflightMessagesMax,
        probeBytesMax,
        uncommittedBytesMax);
  }
}
