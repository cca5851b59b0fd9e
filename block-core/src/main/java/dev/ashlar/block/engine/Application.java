package dev.ashlar.block.engine;

import dev.ashlar.block.Multihash;
import dev.ashlar.block.root.RootKey;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Applies entries over the rows of one transaction, and notes the slots that nothing refers to any
 * more but their log entry. What it finds is published by whoever made it.
 */
final class Application {

  private final ReadTransaction transaction;
  private final Applier.Rows rows;
  private final Applier applier;
  private final List<DeadSlots.Dead> died = new ArrayList<>();
  private final List<KeptOutcome> kept = new ArrayList<>();

  /**
   * @param rootSetAt the last index so far at which a root was set
   */
  Application(
      ReadTransaction transaction, long generation, EffectTable.Pair tables, long rootSetAt) {
    this.transaction = transaction;
    this.rows = new Applier.Rows(transaction, generation, tables);
    this.applier = new Applier(rows, rootSetAt);
  }

  /** Outcomes that do not follow from the entries alone. */
  List<KeptOutcome> kept() {
    return kept;
  }

  /** See {@link Applier#undecided}. */
  Optional<Multihash> undecided() {
    return applier.undecided();
  }

  /** The last index at which a root was set, up to what has been applied. */
  long rootSetAt() {
    return applier.rootSetAt();
  }

  Map<RootKey, RootRow> rootEffects() {
    return rows.pendingRoots();
  }

  Applier.Rows rows() {
    return rows;
  }

  /** Slots that die with their log entries. */
  List<DeadSlots.Dead> died() {
    return died;
  }

  /** By how much the number of live blocks has grown. */
  long blocksAdded() {
    return applier.blocksAdded();
  }

  /** By how much their bytes have grown. */
  long bytesAdded() {
    return applier.bytesAdded();
  }

  Map<Multihash, IndexRow> effects() {
    return rows.pending();
  }

  /** Applies the entry that comes next, with the base that the log has now. */
  Outcome apply(LogEntry entry, long baseIndex) {
    BitSet collected = new BitSet();
    if (entry.command() instanceof Command.Delete delete) {
      noteDeleted(delete.multihash(), baseIndex);
    } else if (entry.command() instanceof Command.Collect collect) {
      collected = applier.stillGarbage(collect.garbage()).orElse(collected);
      List<Multihash> blocks = collect.garbage().blocks();
      collected.stream().forEach(place -> noteDeleted(blocks.get(place), baseIndex));
    }
    Outcome outcome = applier.apply(entry);
    if (outcome == Outcome.EXISTED && entry.command() instanceof Command.Put put) {
      noteIfUnused(put, entry.index());
    }
    if (!KeptOutcome.isUsual(entry.command(), outcome)) {
      kept.add(new KeptOutcome(entry.index(), outcome, collected));
    }
    return outcome;
  }

  /** A row that is in the index, or will be, keeps its slot until the fold that drops the row. */
  private void noteDeleted(Multihash multihash, long baseIndex) {
    rows.live(multihash)
        .filter(row -> !rows.indexNames(multihash, row.slot()))
        .ifPresent(row -> noteIfLogged(row, baseIndex));
  }

  /**
   * Notes the slot of a dropped row to die with its log entry; false when only the slot is left.
   */
  boolean noteIfLogged(IndexRow row, long baseIndex) {
    byte[] key = Keys.number(row.slot());
    Optional<ByteBuffer> value = transaction.get(MapName.HEAP, key);
    if (value.isEmpty()) {
      return true;
    }
    // Where the header is damaged, the last put is the latest that the bytes can have come with.
    long origin = HeapRecord.read(key, value.get()).map(HeapRecord::origin).orElse(row.lastPut());
    if (origin <= baseIndex) {
      return false;
    }
    died.add(new DeadSlots.Dead(origin, row.slot(), row.length()));
    return true;
  }

  /** A put that found its block live leaves the first holder: its own slot is nobody's. */
  private void noteIfUnused(Command.Put put, long index) {
    boolean used = rows.live(put.multihash()).filter(row -> row.slot() == put.slot()).isPresent();
    if (!used) {
      died.add(new DeadSlots.Dead(index, put.slot(), put.length()));
    }
  }
}
