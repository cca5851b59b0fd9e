package dev.ashlar.raft.driver;

import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.Cid;
import dev.ashlar.block.engine.ScrubPage;
import java.util.function.Consumer;

/**
 * Reads all blocks again and again, slowly, so that damage is found while other members still have
 * good copies, and has what it finds mended.
 */
final class Scrub {

  private final ScrubOptions options;
  private final Storage storage;
  private final Consumer<Cid> mend;
  private BlockCursor cursor = BlockCursor.START;
  private boolean reading;
  private long budget;
  private long resumeTick;
  private long rounds;
  private long blocks;
  private long bytes;
  private long damaged;

  /**
   * @param mend told of each block that is damaged
   */
  Scrub(ScrubOptions options, Storage storage, Consumer<Cid> mend) {
    this.options = options;
    this.storage = storage;
    this.mend = mend;
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
    BlockCursor from = cursor;
    storage.run(
        Storage.Work.READ,
        replica -> replica.engine().scrub(from, options.pageBytes()),
        page -> read(page, now),
        // What cannot be read at all stops the member elsewhere.
        failure -> reading = false);
  }

  ScrubStatus status() {
    return new ScrubStatus(rounds, blocks, bytes, damaged);
  }

  private void read(ScrubPage page, long now) {
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
      rounds++;
      resumeTick = now + options.pauseTicks();
    }
  }
}
