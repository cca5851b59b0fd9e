package dev.ashlar.block.engine;

import dev.ashlar.block.Multihash;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * Turns entries into effects, in log order: the state machine of the block store, pure but for the
 * rows that it is shown. The same entries over the same rows have the same outcomes on every
 * replica.
 */
final class Applier {

  /** What is known of a multihash before an entry takes effect. */
  sealed interface Prior {
    /** There is no such block. */
    record Absent() implements Prior {}

    /** The block is live with this row. */
    record Live(IndexRow row) implements Prior {}

    /** The block is live, and its row here is damaged. */
    record Damaged() implements Prior {}
  }

  static final Prior ABSENT = new Prior.Absent();
  static final Prior DAMAGED = new Prior.Damaged();

  private final Function<Multihash, Prior> priors;
  private final BiConsumer<Multihash, IndexRow> effects;
  private long blocksAdded;
  private long bytesAdded;

  /**
   * @param priors finds what the entries before have left, those of this applier among them
   * @param effects takes what becomes of a multihash
   */
  Applier(Function<Multihash, Prior> priors, BiConsumer<Multihash, IndexRow> effects) {
    this.priors = priors;
    this.effects = effects;
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
    return Outcome.NONE;
  }

  private Outcome put(Command.Put put, long index) {
    Prior prior = priors.apply(put.multihash());
    if (prior instanceof Prior.Live live) {
      effects.accept(put.multihash(), live.row().putAgainAt(index));
      return Outcome.EXISTED;
    }
    effects.accept(put.multihash(), new IndexRow(put.slot(), put.length(), put.codec(), index));
    if (prior instanceof Prior.Damaged) {
      // The row was damaged here and nowhere else, so the answer is that of the other replicas.
      return Outcome.EXISTED;
    }
    blocksAdded++;
    bytesAdded += put.length();
    return Outcome.CREATED;
  }

  private Outcome touch(Multihash multihash, long index) {
    Prior prior = priors.apply(multihash);
    if (prior instanceof Prior.Live live) {
      effects.accept(multihash, live.row().putAgainAt(index));
    }
    return prior instanceof Prior.Absent ? Outcome.GONE : Outcome.EXISTED;
  }

  private Outcome delete(Multihash multihash) {
    Prior prior = priors.apply(multihash);
    if (prior instanceof Prior.Absent) {
      return Outcome.ABSENT;
    }
    if (prior instanceof Prior.Live live) {
      bytesAdded -= live.row().length();
    }
    blocksAdded--;
    effects.accept(multihash, IndexRow.GONE);
    return Outcome.DELETED;
  }

  /** The rows of one transaction, under tables and under effects that are not published yet. */
  static final class Rows {

    private final ReadTransaction transaction;
    private final MapName blocks;
    private final EffectTable.Pair tables;
    private final Map<Multihash, IndexRow> pending = new HashMap<>();
    private final Map<Multihash, Prior> looked = new HashMap<>();

    Rows(ReadTransaction transaction, MapName blocks, EffectTable.Pair tables) {
      this.transaction = transaction;
      this.blocks = blocks;
      this.tables = tables;
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
      Prior prior = folded(transaction, blocks, multihash);
      return isFolding
          || prior instanceof Prior.Damaged
          || (prior instanceof Prior.Live live && live.row().slot() == slot);
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
