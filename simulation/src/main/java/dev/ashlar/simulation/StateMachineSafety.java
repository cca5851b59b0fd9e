package dev.ashlar.simulation;

import dev.ashlar.block.engine.Outcome;
import dev.ashlar.block.engine.StorageEngine;
import java.util.HashMap;
import java.util.Map;

/** State Machine Safety (Raft §5.4.3): one entry and one outcome at an index, on every replica. */
final class StateMachineSafety implements Observer {

  private record Effect(long term, Outcome outcome) {}

  private final Map<Long, Effect> effects = new HashMap<>();
  private final Map<Integer, Long> applied = new HashMap<>();

  @Override
  public void started(SimNode node) {
    applied.put(node.number(), node.engine().status().applied());
  }

  @Override
  public void applied(SimNode node, StorageEngine.Applied each) {
    long index = each.entry().index();
    Effect effect = new Effect(each.entry().term(), each.outcome());
    Effect before = effects.putIfAbsent(index, effect);
    if (before != null && !before.equals(effect)) {
      throw new Violation(
          "StateMachineSafety",
          node.address() + " has " + effect + " at " + index + ", others " + before);
    }
    long previous = applied.getOrDefault(node.number(), 0L);
    if (index <= previous) {
      throw new Violation(
          "AppliedOnce", node.address() + " applies " + index + " after " + previous);
    }
    applied.put(node.number(), index);
  }
}
