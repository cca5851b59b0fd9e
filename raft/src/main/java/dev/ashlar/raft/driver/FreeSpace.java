package dev.ashlar.raft.driver;

import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import java.util.HashSet;
import java.util.Set;
import java.util.SortedSet;

/**
 * Who has room for more blocks. Puts are refused unless a quorum is above its reserve, so that
 * deletes, votes, compaction and recovery always have room.
 */
final class FreeSpace {

  private final MemberId self;
  private final long reserveBytes;
  private final Set<MemberId> lacking = new HashSet<>();
  private long freeBytes = Long.MAX_VALUE;
  private long owedBytes;

  FreeSpace(MemberId self, long reserveBytes) {
    this.self = self;
    this.reserveBytes = reserveBytes;
  }

  /** What is free on the disk of this member, as of its last write or later. */
  void looked(long bytes) {
    freeBytes = bytes;
  }

  /** A write found no room. */
  void ranOut() {
    freeBytes = 0;
    owedBytes = 0;
  }

  /** Bytes have to be written by this member. */
  void owe(long bytes) {
    owedBytes += bytes;
  }

  /** What was owed is on the disk. */
  void wrote(long bytes) {
    owedBytes -= bytes;
  }

  /** What another member says of itself. */
  void announced(MemberId from, boolean lacksSpace) {
    if (lacksSpace) {
      lacking.add(from);
    } else {
      lacking.remove(from);
    }
  }

  /** Whether this member is within its reserve, with what it has still to write. */
  boolean isLacking() {
    return freeBytes - owedBytes < reserveBytes;
  }

  /** Whether a quorum has room for more. */
  boolean hasQuorum(Membership membership) {
    return hasMajority(membership.voters())
        && (!membership.isJoint() || hasMajority(membership.outgoing()));
  }

  private boolean hasMajority(SortedSet<MemberId> voters) {
    return voters.stream().filter(this::hasRoom).count() > voters.size() / 2;
  }

  private boolean hasRoom(MemberId member) {
    return member.equals(self) ? !isLacking() : !lacking.contains(member);
  }
}
