package dev.ashlar.raft.driver;

import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.Cid;
import dev.ashlar.block.StoreClosedException;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.engine.HeapPage;
import dev.ashlar.block.engine.Miscount;
import dev.ashlar.block.engine.ScrubPage;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Reads all blocks again and again, slowly, so that damage is found while other members still have
 * good copies, and has what it finds mended. At the end of a round it counts, sets right what
 * damage has made of the counters, and gives back what nothing refers to any more.
 */
final class Scrub {

  private final ScrubOptions options;
  private final Storage storage;
  private final Consumer<Cid> mend;
  private final Consumer<StoreDamagedException> indexDamaged;
  private final Consumer<Throwable> storageFailed;
  private long now;
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

  /** Slots seen in this round that are damaged, or that nothing seems to refer to. */
  private long suspects;

  private Doubt undecided = Doubt.NONE;
  private long hidden;
  private long givenBack;

  /**
   * @param mend told of each block that is damaged
   * @param damaged told when what only other members know is damaged
   * @param storageFailed told of a file that is damaged, and of a disk that failed
   */
  Scrub(
      ScrubOptions options,
      Storage storage,
      Consumer<Cid> mend,
      Consumer<StoreDamagedException> damaged,
      Consumer<Throwable> storageFailed) {
    this.options = options;
    this.storage = storage;
    this.mend = mend;
    this.indexDamaged = damaged;
    this.storageFailed = storageFailed;
  }

  void tick(long tick) {
    now = tick;
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
          replica -> replica.engine().audit().readHeap(first),
          this::readHeap,
          failure -> reading = false);
      return;
    }
    BlockCursor from = cursor;
    storage.run(
        Storage.Work.READ,
        replica -> replica.engine().audit().scrub(from, options.pageBytes()),
        this::read,
        // What cannot be read at all stops the member elsewhere.
        failure -> reading = false);
  }

  ScrubStatus status() {
    return new ScrubStatus(rounds, blocks, bytes, damaged, hidden, givenBack);
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

  private void readHeap(HeapPage page) {
    reading = false;
    budget = 0;
    suspects += page.unreferenced() + page.unreadable();
    slot = page.next();
    if (slot.isEmpty()) {
      count();
    }
  }

  /** The file is walked first: on pages that are damaged a cursor may go anywhere. */
  private void count() {
    reading = true;
    storage.run(
        Storage.Work.READ,
        replica -> {
          Optional<String> finding = replica.engine().findDamage();
          if (finding.isPresent()) {
            throw new UnsoundFileException(finding.get());
          }
          replica.engine().audit().countRoots();
          return replica.engine().audit().count(false);
        },
        this::counted,
        this::failed);
  }

  private void counted(Miscount miscount) {
    Doubt doubt = new Doubt(suspects, miscount.slots());
    suspects = 0;
    if (doubt.isNone() || doubt.equals(undecided)) {
      // The heap was looked into in vain, and nothing is as if it had changed.
      decided(miscount);
    } else {
      storage.run(
          Storage.Work.READ,
          replica -> replica.engine().audit().count(true),
          looked -> {
            undecided = looked.heap() == Miscount.Heap.DAMAGED ? doubt : Doubt.NONE;
            decided(looked);
          },
          this::failed);
    }
  }

  private void decided(Miscount miscount) {
    hidden = -miscount.blocks();
    if (hidden != 0) {
      endRound();
      indexDamaged.accept(
          new StoreDamagedException(
              hidden > 0
                  ? hidden + " rows of the index are missing: blocks are hidden"
                  : -hidden + " rows of the index are there that nobody wrote"));
    } else if (miscount.bytes() != 0 || (miscount.knowsHeap() && !miscount.isNone())) {
      settle(miscount);
    } else {
      endRound();
    }
  }

  private void settle(Miscount miscount) {
    storage.run(
        Storage.Work.WRITE,
        replica -> replica.settle(miscount),
        done -> {
          givenBack += done ? miscount.lost().size() : 0;
          endRound();
        },
        this::failed);
  }

  /** Not all has been read. What is damaged so that it cannot be is told. */
  private void failed(Throwable why) {
    rest();
    if (why instanceof UnsoundFileException unsound) {
      storageFailed.accept(new StoreDamagedException(String.valueOf(unsound.getMessage())));
    } else if (why instanceof StoreDamagedException damage) {
      indexDamaged.accept(damage);
    } else if (!(why instanceof StoreClosedException)) {
      storageFailed.accept(why);
    }
  }

  private void endRound() {
    rounds++;
    rest();
  }

  private void rest() {
    reading = false;
    suspects = 0;
    resumeTick = now + options.pauseTicks();
  }

  /** Nobody can go on from a file that is no tree any more, whatever could be read of it. */
  private static final class UnsoundFileException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    UnsoundFileException(String finding) {
      super("the index is damaged: " + finding);
    }
  }

  /** What gives reason to look into the heap, where that was in vain before. */
  private record Doubt(long suspects, long slots) {
    static final Doubt NONE = new Doubt(0, 0);

    boolean isNone() {
      return equals(NONE);
    }
  }
}
