package dev.ashlar.simulation;

import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Ready;
import dev.ashlar.raft.core.Role;
import java.util.HashMap;
import java.util.Map;

/** Election Safety (Raft §5.2): at most one leader in a term. */
final class ElectionSafety implements Observer {

  private final Map<Long, String> leaders = new HashMap<>();

  @Override
  public void changed(SimNode node, Ready.Status status) {
    if (status.role() instanceof Role.Leader) {
      MemberId self = node.member();
      String life = self + " in its life " + node.life();
      String before = leaders.putIfAbsent(status.term(), life);
      if (before != null && !before.equals(life)) {
        throw new Violation(
            "ElectionSafety", "term " + status.term() + " is led by " + before + " and " + life);
      }
    }
  }
}
