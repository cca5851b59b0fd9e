package dev.ashlar.block.engine;

import dev.ashlar.block.Multihash;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.root.GarbageBatch;
import dev.ashlar.block.root.RootChange;
import dev.ashlar.block.root.RootChanges;
import dev.ashlar.block.root.RootKey;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Turns entries into effects, in log order: the state machine of the block store, pure but for the
 * rows that it is shown. The same entries over the same rows have the same outcomes on every
 * replica.
 */
final class Applier {

  /** What is known of a multihash before an entry takes effect. */
  sealed interface Prior {
    /** How many rows it is. */
    int blocks();

    /** How many block bytes go when an effect replaces it, as far as that is known. */
    int bytes(IndexRow effect);

    /** Whether it refers to a slot, as far as that is known: nothing is freed on a damaged row. */
    boolean mayName(long slot);

    /** There is no such block. */
    record Absent() implements Prior {
      @Override
      public int blocks() {
        return 0;
      }

      @Override
      public int bytes(IndexRow effect) {
        return 0;
      }

      @Override
      public boolean mayName(long slot) {
        return false;
      }
    }

    /** The block is live with this row. */
    record Live(IndexRow row) implements Prior {
      @Override
      public int blocks() {
        return 1;
      }

      @Override
      public int bytes(IndexRow effect) {
        return row.length();
      }

      @Override
      public boolean mayName(long slot) {
        return row.slot() == slot;
      }
    }

    /** The block is live, and its row here is damaged. */
    record Damaged() implements Prior {
      @Override
      public int blocks() {
        return 1;
      }

      /** The same multihash has the same length; of a deleted one {@link Count} finds it. */
      @Override
      public int bytes(IndexRow effect) {
        return effect.length();
      }

      @Override
      public boolean mayName(long slot) {
        return true;
      }
    }
  }

  static final Prior ABSENT = new Prior.Absent();
  static final Prior DAMAGED = new Prior.Damaged();

  private final Rows rows;
  private long blocksAdded;
  private long bytesAdded;
  private long rootSetAt;
  private Optional<Multihash> undecided = Optional.empty();

  /**
   * @param rows what the entries before have left; takes what becomes of it
   * @param rootSetAt the last index so far at which a root was set
   */
  Applier(Rows rows, long rootSetAt) {
    this.rows = rows;
    this.rootSetAt = rootSetAt;
  }

  /** The last log index at which a root was set, that is pinned or referred to. */
  long rootSetAt() {
    return rootSetAt;
  }

  /** By how much the number of live blocks has grown. */
  long blocksAdded() {
    return blocksAdded;
  }

  /** By how much their bytes have grown. */
  long bytesAdded() {
    return bytesAdded;
  }

  Outcome apply(LogEntry entry) {
    Command command = entry.command();
    if (command instanceof Command.Put put) {
      return put(put, entry.index());
    }
    if (command instanceof Command.Touch touch) {
      return touch(touch.multihash(), entry.index());
    }
    if (command instanceof Command.Delete delete) {
      return delete(delete.multihash());
    }
    if (command instanceof Command.Roots roots) {
      return change(roots.changes(), entry.index());
    }
    if (command instanceof Command.Collect collect) {
      return collect(collect.garbage());
    }
    return Outcome.NONE;
  }

  /**
   * Which blocks of a batch still are garbage, by their place; empty where a root was set since.
   *
   * <p>Of a row that is damaged here it is not known how old it is: it stays, which other replicas
   * may not do ({@link #undecided}).
   */
  Optional<BitSet> stillGarbage(GarbageBatch batch) {
    if (rootSetAt > batch.markedAt()) {
      return Optional.empty();
    }
    BitSet garbage = new BitSet();
    for (int i = 0; i < batch.blocks().size(); i++) {
      Prior prior = rows.find(batch.blocks().get(i));
      if (prior instanceof Prior.Damaged) {
        undecided = Optional.of(batch.blocks().get(i));
      }
      garbage.set(i, prior instanceof Prior.Live live && live.row().lastPut() <= batch.graceAt());
    }
    return Optional.of(garbage);
  }

  /** A block of which only undamaged replicas know whether it was collected. */
  Optional<Multihash> undecided() {
    return undecided;
  }

  private Outcome collect(GarbageBatch batch) {
    Optional<BitSet> garbage = stillGarbage(batch);
    if (garbage.isEmpty()) {
      return Outcome.CONFLICT;
    }
    garbage.get().stream().forEach(place -> delete(batch.blocks().get(place)));
    return Outcome.COLLECTED;
  }

  private Outcome change(RootChanges changes, long index) {
    for (RootChange change : changes.changes()) {
      long changedAt = rows.findRoot(change.key()).map(RootRow::changedAt).orElse(0L);
      if (change.expected() != RootChange.ANY && change.expected() != changedAt) {
        return Outcome.CONFLICT;
      }
    }
    for (RootChange change : changes.changes()) {
      if (change.value().isPresent()) {
        rows.pendingRoots().put(change.key(), new RootRow(index, change.value().get()));
        if (change.key().kind().keepsBlocks()) {
          rootSetAt = index;
        }
      } else {
        rows.pendingRoots().put(change.key(), RootRow.GONE);
      }
    }
    return Outcome.CHANGED;
  }

  private Outcome put(Command.Put put, long index) {
    Prior prior = rows.find(put.multihash());
    if (prior instanceof Prior.Live live) {
      rows.pending().put(put.multihash(), live.row().putAgainAt(index));
      return Outcome.EXISTED;
    }
    rows.pending().put(put.multihash(), new IndexRow(put.slot(), put.length(), put.codec(), index));
    if (prior instanceof Prior.Damaged) {
      // The row was damaged here and nowhere else, so the answer is that of the other replicas.
      return Outcome.EXISTED;
    }
    blocksAdded++;
    bytesAdded += put.length();
    return Outcome.CREATED;
  }

  private Outcome touch(Multihash multihash, long index) {
    Prior prior = rows.find(multihash);
    if (prior instanceof Prior.Live live) {
      rows.pending().put(multihash, live.row().putAgainAt(index));
    }
    return prior instanceof Prior.Absent ? Outcome.GONE : Outcome.EXISTED;
  }

  private Outcome delete(Multihash multihash) {
    Prior prior = rows.find(multihash);
    if (prior instanceof Prior.Absent) {
      return Outcome.ABSENT;
    }
    if (prior instanceof Prior.Live live) {
      bytesAdded -= live.row().length();
    }
    blocksAdded--;
    rows.pending().put(multihash, IndexRow.GONE);
    return Outcome.DELETED;
  }

  /** The rows of one transaction, under tables and under effects that are not published yet. */
  static final class Rows {

    private final ReadTransaction transaction;
    private final MapName blocks;
    private final EffectTable.Pair tables;
    private final MapName roots;
    private final Map<Multihash, IndexRow> pending = new HashMap<>();
    private final Map<RootKey, RootRow> pendingRoots = new HashMap<>();
    private final Map<Multihash, Prior> looked = new HashMap<>();

    Rows(ReadTransaction transaction, long generation, EffectTable.Pair tables) {
      this.transaction = transaction;
      this.blocks = MapName.blocks(generation);
      this.roots = MapName.roots(generation);
      this.tables = tables;
    }

    Map<RootKey, RootRow> pendingRoots() {
      return pendingRoots;
    }

    /** What a record says; empty where there is none. */
    Optional<RootRow> findRoot(RootKey key) {
      RootRow effect = pendingRoots.get(key);
      if (effect == null) {
        effect = tables.findRoot(key).orElse(null);
      }
      if (effect != null) {
        return effect.isGone() ? Optional.empty() : Optional.of(effect);
      }
      return foldedRoot(transaction, roots, key);
    }

    /**
     * @throws StoreDamagedException where the row fails its checksum: nothing may be decided then
     */
    static Optional<RootRow> foldedRoot(ReadTransaction transaction, MapName roots, RootKey key) {
      byte[] bytes = key.toBytes();
      return transaction
          .get(roots, bytes)
          .map(
              value ->
                  RootRow.decode(bytes, value)
                      .orElseThrow(
                          () ->
                              new StoreDamagedException(
                                  "root record "
                                      + key
                                      + " fails its checksum: set the directory aside and join"
                                      + " anew, or restore it from a backup")));
    }

    Map<Multihash, IndexRow> pending() {
      return pending;
    }

    Prior find(Multihash multihash) {
      IndexRow effect = pending.get(multihash);
      if (effect == null) {
        effect = tables.find(multihash).orElse(null);
      }
      if (effect != null) {
        return effect.isGone() ? ABSENT : new Prior.Live(effect);
      }
      return looked.computeIfAbsent(multihash, m -> folded(transaction, blocks, m));
    }

    /** Whether a table, or the index under it, says that the block lies in the slot. */
    boolean anyLayerNames(Multihash multihash, long slot) {
      return tables.active().find(multihash).filter(row -> row.slot() == slot).isPresent()
          || indexNames(multihash, slot);
    }

    /** Whether the index says so, or will once the fold that is under way is done. */
    boolean indexNames(Multihash multihash, long slot) {
      boolean isFolding =
          tables
              .frozen()
              .flatMap(frozen -> frozen.table().find(multihash))
              .filter(row -> row.slot() == slot)
              .isPresent();
      return isFolding || folded(transaction, blocks, multihash).mayName(slot);
    }

    static Prior folded(ReadTransaction transaction, MapName blocks, Multihash multihash) {
      byte[] key = multihash.toBytes();
      return transaction
          .get(blocks, key)
          .map(value -> IndexRow.decode(key, value).<Prior>map(Prior.Live::new).orElse(DAMAGED))
          .orElse(ABSENT);
    }

    Optional<IndexRow> live(Multihash multihash) {
      return find(multihash) instanceof Prior.Live live
          ? Optional.of(live.row())
          : Optional.empty();
    }
  }
}
