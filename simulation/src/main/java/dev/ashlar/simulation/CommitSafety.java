package dev.ashlar.simulation;

import dev.ashlar.raft.core.EntryId;
import dev.ashlar.raft.core.RaftCore;
import dev.ashlar.raft.core.Ready;
import dev.ashlar.raft.core.Role;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What is committed stays (Raft §5.4.3), and every later leader has it (§5.4, Leader Completeness).
 */
final class CommitSafety implements Observer {

  private final TreeMap<Long, EntryId> committed = new TreeMap<>();
  private final Map<Integer, Long> seen = new HashMap<>();

  @Override
  public void started(SimNode node) {
    seen.put(node.number(), 0L);
  }

  @Override
  public void stepped(SimNode node) {
    if (!node.isUp()) {
      return;
    }
    RaftCore core = node.driver().core();
    long from = Math.max(seen.getOrDefault(node.number(), 0L), core.base().index() - 1);
    for (long i = from + 1; i <= core.commitIndex(); i++) {
      Optional<EntryId> id = core.idAt(i);
      EntryId before = id.isPresent() ? committed.putIfAbsent(i, id.get()) : null;
      if (before != null && !before.equals(id.get())) {
        throw new Violation(
            "CommitImmutability", node.address() + " commits " + id.get() + " after " + before);
      }
    }
    seen.put(node.number(), core.commitIndex());
  }

  @Override
  public void changed(SimNode node, Ready.Status status) {
    if (!(status.role() instanceof Role.Leader) || committed.isEmpty()) {
      return;
    }
    EntryId last = committed.lastEntry().getValue();
    RaftCore core = node.driver().core();
    boolean has =
        last.term() > status.term()
            || last.index() < core.base().index()
            || core.idAt(last.index()).equals(Optional.of(last));
    if (!has) {
      throw new Violation(
          "LeaderCompleteness",
          node.address() + " leads term " + status.term() + " without " + last);
    }
  }

  long highest() {
    return committed.isEmpty() ? 0 : committed.lastKey();
  }
}
