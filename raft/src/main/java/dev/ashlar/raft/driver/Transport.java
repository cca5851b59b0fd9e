package dev.ashlar.raft.driver;

import dev.ashlar.raft.core.MemberId;

/** Sends to peers. Whatever is not delivered is lost without a word, or told by {@code lost}. */
public interface Transport {

  /**
   * Sends, if it can be sent now; nothing is kept for a peer that is not connected.
   *
   * @return whether it was taken; if not, it certainly did not leave this member
   */
  boolean send(MemberId to, PeerMessage message);

  /**
   * Whether a member is known to know something.
   *
   * @param feature one of {@link Features}
   */
  default boolean isKnownBy(MemberId member, long feature) {
    return true;
  }
}
