package dev.ashlar.raft.driver;

import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.Cid;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.engine.HeapPage;
import dev.ashlar.block.engine.ScrubPage;
import java.util.HashSet;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Reads all blocks again and again, slowly, so that damage is found while other members still have
 * good copies, and has what it finds mended.
 */
final class Scrub {

  private final ScrubOptions options;
  private final Storage storage;
  private final Consumer<Cid> mend;
  private final Consumer<Throwable> fail;
  private BlockCursor cursor = BlockCursor.START;
  private boolean reading;
  private long budget;
  private long resumeTick;
  private long rounds;
  private long blocks;
  private long bytes;
  private long damaged;

  /** Where the comparison of the heap with the index is; empty while blocks are read. */
  private OptionalLong slot = OptionalLong.empty();

  private Set<Long> unreferenced = new HashSet<>();
  private Set<Long> unreferencedBefore = new HashSet<>();
  private final Set<Long> known = new HashSet<>();

  /**
   * @param mend told of each block that is damaged
   * @param fail told when the index itself is
   */
  Scrub(ScrubOptions options, Storage storage, Consumer<Cid> mend, Consumer<Throwable> fail) {
    this.options = options;
    this.storage = storage;
    this.mend = mend;
    this.fail = fail;
  }

  void tick(long now) {
    if (options.bytesPerTick() == 0 || now < resumeTick) {
      return;
    }
    budget = Math.min(budget + options.bytesPerTick(), options.pageBytes());
    if (reading || budget < options.pageBytes()) {
      return;
    }
    reading = true;
    if (slot.isPresent()) {
      long first = slot.getAsLong();
      storage.run(
          Storage.Work.READ,
          replica -> replica.engine().readHeap(first),
          page -> readHeap(page, now),
          failure -> reading = false);
      return;
    }
    BlockCursor from = cursor;
    storage.run(
        Storage.Work.READ,
        replica -> replica.engine().scrub(from, options.pageBytes()),
        this::read,
        // What cannot be read at all stops the member elsewhere.
        failure -> reading = false);
  }

  ScrubStatus status() {
    return new ScrubStatus(rounds, blocks, bytes, damaged, known.size());
  }

  private void read(ScrubPage page) {
    reading = false;
    budget -= page.bytes();
    blocks += page.blocks();
    bytes += page.bytes();
    damaged += page.damaged().size();
    page.damaged().forEach(mend);
    if (page.next().isPresent()) {
      cursor = page.next().get();
    } else {
      cursor = BlockCursor.START;
      slot = OptionalLong.of(0);
    }
  }

  private void readHeap(HeapPage page, long now) {
    reading = false;
    budget = 0;
    unreferenced.addAll(page.unreferenced());
    slot = page.next();
    if (slot.isPresent()) {
      return;
    }
    rounds++;
    resumeTick = now + options.pauseTicks();
    // What nothing refers to a whole round later is not on its way out.
    Set<Long> lost = new HashSet<>(unreferenced);
    lost.retainAll(unreferencedBefore);
    unreferencedBefore = unreferenced;
    unreferenced = new HashSet<>();
    if (!known.containsAll(lost)) {
      known.addAll(lost);
      findDamage(lost.size());
    }
  }

  /** Rows that the index hides would look the same as slots that were never given back. */
  private void findDamage(int lost) {
    storage.run(
        Storage.Work.READ,
        replica -> replica.engine().findDamage(),
        finding ->
            finding.ifPresent(
                what ->
                    fail.accept(
                        new StoreDamagedException(
                            "nothing refers to "
                                + lost
                                + " blocks in the heap, for the index is damaged: "
                                + what))),
        fail);
  }
}
