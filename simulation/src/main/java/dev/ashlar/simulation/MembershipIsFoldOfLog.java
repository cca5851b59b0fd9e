package dev.ashlar.simulation;

import dev.ashlar.block.StoreFormatException;
import dev.ashlar.raft.core.Membership;
import dev.ashlar.raft.core.RaftCore;
import dev.ashlar.raft.replication.MembershipCodec;
import dev.ashlar.raft.replication.Replica;

/** The membership in force is that of the last entry in the log that has one (thesis §4.1). */
final class MembershipIsFoldOfLog implements Observer {

  @Override
  public void wrote(SimNode node, Replica replica) {
    if (!node.isUp()) {
      return;
    }
    RaftCore core = node.driver().core();
    long last = replica.engine().status().last().index();
    boolean same =
        core.last().index() == last
            && core.last().term() == replica.engine().status().last().term();
    if (!same) {
      return;
    }
    Membership onDisk;
    try {
      onDisk =
          replica
              .engine()
              .log()
              .configurationAt(last)
              .map(MembershipCodec::decode)
              .orElse(Membership.NONE);
    } catch (StoreFormatException e) {
      // It has rotted: the member goes on with what it knows, and will not start with it again.
      return;
    }
    if (!onDisk.equals(core.status().membership())) {
      throw new Violation(
          "MembershipIsFoldOfLog",
          node.address() + " acts on " + core.status().membership() + ", its log says " + onDisk);
    }
  }
}
