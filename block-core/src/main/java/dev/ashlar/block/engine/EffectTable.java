package dev.ashlar.block.engine;

import dev.ashlar.block.Multihash;
import dev.ashlar.block.root.RootKey;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * Effects of applied entries that {@code blocks} does not show yet, by multihash. One thread
 * writes; any number read. Once {@link Frozen} it changes no more.
 */
final class EffectTable {

  private final ConcurrentHashMap<Multihash, IndexRow> effects = new ConcurrentHashMap<>();
  private final ConcurrentSkipListMap<RootKey, RootRow> roots = new ConcurrentSkipListMap<>();

  /** The effect on a multihash, {@link IndexRow#GONE} for a delete; empty where there is none. */
  Optional<IndexRow> find(Multihash multihash) {
    return Optional.ofNullable(effects.get(multihash));
  }

  void put(Multihash multihash, IndexRow effect) {
    effects.put(multihash, effect);
  }

  void putAll(Map<Multihash, IndexRow> batch) {
    effects.putAll(batch);
  }

  void putRoots(Map<RootKey, RootRow> batch) {
    roots.putAll(batch);
  }

  /**
   * The effects on root records, {@link RootRow#GONE} for a removal, in the order of their keys.
   */
  NavigableMap<RootKey, RootRow> roots() {
    return Collections.unmodifiableNavigableMap(roots);
  }

  int size() {
    return effects.size();
  }

  /** The smallest multihashes after a cursor, in order, at most so many. */
  List<Multihash> firstAfter(Optional<Multihash> after, int limit) {
    PriorityQueue<Multihash> largestFirst = new PriorityQueue<>((a, b) -> b.compareTo(a));
    for (Multihash multihash : effects.keySet()) {
      if (after.isPresent() && multihash.compareTo(after.get()) <= 0) {
        continue;
      }
      if (largestFirst.size() < limit) {
        largestFirst.add(multihash);
      } else if (multihash.compareTo(largestFirst.element()) < 0) {
        largestFirst.remove();
        largestFirst.add(multihash);
      }
    }
    return largestFirst.stream().sorted().toList();
  }

  /**
   * A table that changes no more and is being folded, in the order of its multihashes.
   *
   * @param table its effects
   * @param upper the last log index whose effect is in it
   * @param rootSetAt the last log index up to there at which a root was set
   * @param order its multihashes, sorted
   */
  record Frozen(EffectTable table, long upper, long rootSetAt, List<Multihash> order) {

    static Frozen of(EffectTable table, long upper, long rootSetAt) {
      return new Frozen(table, upper, rootSetAt, table.effects.keySet().stream().sorted().toList());
    }

    /** The index in {@link #order} of the first multihash after one. */
    int indexAfter(Optional<Multihash> done) {
      if (done.isEmpty()) {
        return 0;
      }
      int found = Collections.binarySearch(order, done.get());
      return found < 0 ? -found - 1 : found + 1;
    }
  }

  /**
   * The two tables as a reader finds them. It asks the active one, then the frozen one, and begins
   * its transaction after that: what has left a table by then is in {@code blocks}.
   */
  record Pair(EffectTable active, Optional<Frozen> frozen) {

    Optional<IndexRow> find(Multihash multihash) {
      Optional<IndexRow> effect = active.find(multihash);
      return effect.isPresent() || frozen.isEmpty() ? effect : frozen.get().table().find(multihash);
    }

    /** Of all effects on blocks. */
    Set<Multihash> multihashes() {
      Set<Multihash> all = new HashSet<>(active.effects.keySet());
      frozen.ifPresent(folding -> all.addAll(folding.order()));
      return all;
    }

    Optional<RootRow> findRoot(RootKey key) {
      RootRow effect = active.roots.get(key);
      return effect != null || frozen.isEmpty()
          ? Optional.ofNullable(effect)
          : Optional.ofNullable(frozen.get().table().roots.get(key));
    }
  }
}
