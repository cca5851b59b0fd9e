package dev.ashlar.raft.core;

import java.util.UUID;

/**
 * Who a member is: made at its first start on an empty disk, so that a disk that was lost is never
 * taken for the one that voted.
 *
 * @param uuid drawn at random by whoever starts the member
 */
public record MemberId(UUID uuid) implements Comparable<MemberId> {

  /** The id that {@link #toString()} wrote. */
  public static MemberId parse(String text) {
    return new MemberId(UUID.fromString(text));
  }

  @Override
  public int compareTo(MemberId other) {
    return uuid.compareTo(other.uuid);
  }

  @Override
  public String toString() {
    return uuid.toString();
  }
}
