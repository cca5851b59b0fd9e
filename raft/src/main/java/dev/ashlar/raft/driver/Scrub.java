package dev.ashlar.raft.driver;

import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.Cid;
import dev.ashlar.block.StoreClosedException;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.engine.HeapPage;
import dev.ashlar.block.engine.Miscount;
import dev.ashlar.block.engine.ScrubPage;
import dev.ashlar.block.engine.ScrubPlace;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Reads all blocks again and again, slowly, so that damage is found while other members still have
 * good copies, and has what it finds mended. At the end of a round it counts, sets right what
 * damage has made of the counters, and gives back what nothing refers to any more.
 */
final class Scrub {

  private static final int VAIN_ROUNDS_MAX = 8;

  private final ScrubOptions options;
  private final Storage storage;
  private final Consumer<Cid> mend;
  private final Consumer<StoreDamagedException> indexDamaged;
  private final Consumer<Throwable> storageFailed;
  private long now;

  /** Empty until it is known where the last process was. */
  private Optional<ScrubPlace> place = Optional.empty();

  private long notedTick;
  private boolean reading;
  private long budget;
  private long resumeTick;
  private long rounds;
  private long blocks;
  private long bytes;
  private long damaged;

  private Doubt undecided = Doubt.NONE;

  /** Rounds since the heap was looked into in vain; what was in the way then may be gone. */
  private int vainRounds;

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
    if (place.isEmpty()) {
      storage.run(
          Storage.Work.READ,
          replica -> replica.engine().audit().place(),
          this::begin,
          this::failed);
      return;
    }
    ScrubPlace from = place.get();
    if (now - notedTick > options.noteTicks()) {
      notedTick = now;
      storage.run(
          Storage.Work.WRITE,
          replica -> replica.note(from),
          noted -> reading = false,
          this::failed);
    } else if (from.slot().isPresent()) {
      storage.run(
          Storage.Work.READ,
          replica -> replica.engine().audit().readHeap(from.slot().getAsLong()),
          page -> readHeap(from, page),
          this::failed);
    } else {
      storage.run(
          Storage.Work.READ,
          replica -> replica.engine().audit().scrub(from.cursor(), options.pageBytes()),
          this::read,
          this::failed);
    }
  }

  ScrubStatus status() {
    return new ScrubStatus(rounds, blocks, bytes, damaged, hidden, givenBack);
  }

  private void begin(ScrubPlace noted) {
    reading = false;
    notedTick = now;
    place = Optional.of(noted);
  }

  private void read(ScrubPage page) {
    reading = false;
    budget -= page.bytes();
    blocks += page.blocks();
    bytes += page.bytes();
    damaged += page.damaged().size();
    page.damaged().forEach(mend);
    place =
        Optional.of(
            page.next().isPresent()
                ? new ScrubPlace(page.next().get(), OptionalLong.empty(), 0)
                : new ScrubPlace(BlockCursor.START, OptionalLong.of(0), 0));
  }

  private void readHeap(ScrubPlace from, HeapPage page) {
    reading = false;
    budget = 0;
    long suspects = from.suspects() + page.unreferenced() + page.unreadable();
    if (page.next().isPresent()) {
      place = Optional.of(new ScrubPlace(BlockCursor.START, page.next(), suspects));
    } else {
      count(suspects);
    }
  }

  /** The file is walked first: on pages that are damaged a cursor may go anywhere. */
  private void count(long suspects) {
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
        miscount -> counted(suspects, miscount),
        this::failed);
  }

  private void counted(long suspects, Miscount miscount) {
    Doubt doubt = new Doubt(suspects, miscount.slots());
    boolean isAsBefore = doubt.equals(undecided) && ++vainRounds < VAIN_ROUNDS_MAX;
    if (doubt.isNone() || isAsBefore) {
      // The heap was looked into in vain, and nothing is as if it had changed: not for a while.
      decided(miscount);
    } else {
      storage.run(
          Storage.Work.READ,
          replica -> replica.engine().audit().count(true),
          looked -> {
            undecided = looked.heap() == Miscount.Heap.DAMAGED ? doubt : Doubt.NONE;
            vainRounds = 0;
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
    place = Optional.of(ScrubPlace.START);
    notedTick = now - options.noteTicks();
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
