package dev.ashlar.raft.driver;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockDamagedException;
import dev.ashlar.block.Cid;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.engine.LogPosition;
import dev.ashlar.block.engine.ManifestHead;
import dev.ashlar.block.engine.ManifestRow;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.replication.Replica;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Gives other members the manifest of this replica and its blocks. While it does, folding and
 * compaction rest, so that the index is the manifest; that ends at a bound of time without requests
 * or of bytes written meanwhile, and whoever was not done takes a newer one.
 */
final class ManifestSender {

  private final DriverOptions options;
  private final Storage storage;
  private final Transport transport;
  private final Consumer<Cid> mend;
  private final Consumer<StoreDamagedException> logDamaged;
  private @Nullable ManifestHead held;
  private boolean asking;
  private long lastRequest;
  private long heldAtBytes;

  /**
   * @param mend told of a block whose row is damaged here
   * @param logDamaged told of a log that is, so that no manifest can be given
   */
  ManifestSender(
      DriverOptions options,
      Storage storage,
      Transport transport,
      Consumer<Cid> mend,
      Consumer<StoreDamagedException> logDamaged) {
    this.options = options;
    this.storage = storage;
    this.transport = transport;
    this.mend = mend;
    this.logDamaged = logDamaged;
  }

  boolean isHolding() {
    return held != null || asking;
  }

  /**
   * @param appendedBytes how much has ever been appended here, to bound what piles up meanwhile
   */
  void request(MemberId from, PeerMessage.ManifestRequest request, long now, long appendedBytes) {
    lastRequest = now;
    if (held == null) {
      heldAtBytes = appendedBytes;
      hold();
      transport.send(
          from, new PeerMessage.ManifestPage(request.id(), Optional.empty(), List.of(), false));
      return;
    }
    ManifestHead head = held;
    boolean goesOn = request.at().equals(Optional.of(head.at()));
    page(from, request.id(), head, goesOn ? request : firstPage(request));
  }

  /** Nothing is said where the manifest is not held any more: the receiver begins anew. */
  void roots(MemberId from, PeerMessage.RootsRequest request, long now) {
    lastRequest = now;
    ManifestHead head = held;
    if (head == null || !head.at().equals(request.at())) {
      return;
    }
    int limit = options.manifestRowsMax();
    storage.run(
        Storage.Work.READ,
        replica -> replica.engine().manifest().roots(request.after(), limit),
        records -> {
          if (held != null && held.at().equals(head.at())) {
            transport.send(
                from,
                new PeerMessage.RootsPage(
                    request.id(), head.roots(), head.rootSetAt(), records, records.size() < limit));
          }
        },
        failure -> {
          release();
          if (failure instanceof StoreDamagedException damage) {
            logDamaged.accept(damage);
          }
        });
  }

  void blocks(MemberId from, PeerMessage.BlocksRequest request, long now) {
    lastRequest = now;
    storage.run(
        Storage.Work.READ,
        replica -> read(replica, request.cids()),
        found -> {
          transport.send(from, new PeerMessage.Blocks(request.id(), found.blocks()));
          // The receiver may know nobody else to ask: what is damaged here is mended first.
          found.unreadable().forEach(mend);
        },
        failure -> release());
  }

  void tick(long now, long appendedBytes) {
    boolean idle = now - lastRequest > options.holdTicks();
    if (held != null && (idle || appendedBytes - heldAtBytes > options.holdBytesMax())) {
      release();
    }
  }

  /** The index that was held is not in use any more. */
  void end() {
    release();
  }

  private static PeerMessage.ManifestRequest firstPage(PeerMessage.ManifestRequest request) {
    return new PeerMessage.ManifestRequest(request.id(), Optional.empty(), Optional.empty());
  }

  private void hold() {
    if (asking) {
      return;
    }
    asking = true;
    storage.run(
        Storage.Work.APPLY,
        replica -> replica.engine().hold(),
        head -> {
          asking = false;
          // Empty while a fold is half-way: upkeep completes it, and the next request finds it
          // done.
          held = head.orElse(null);
        },
        failure -> {
          asking = false;
          if (failure instanceof StoreDamagedException damage) {
            logDamaged.accept(damage);
          }
        });
  }

  private void release() {
    if (held != null) {
      held = null;
      storage.run(
          Storage.Work.APPLY,
          replica -> {
            replica.engine().release();
            return true;
          },
          done -> {},
          failure -> {});
    }
  }

  private void page(MemberId to, long id, ManifestHead head, PeerMessage.ManifestRequest request) {
    int limit = options.manifestRowsMax();
    storage.run(
        Storage.Work.READ,
        replica -> replica.engine().manifest().page(request.after(), limit),
        rows -> sendPage(to, id, head, rows, rows.size() < limit),
        failure -> {
          if (failure instanceof BlockDamagedException damaged) {
            mend.accept(damaged.cid());
          }
          release();
        });
  }

  private void sendPage(
      MemberId to, long id, ManifestHead head, List<ManifestRow> rows, boolean isLast) {
    LogPosition now = held == null ? LogPosition.ZERO : held.at();
    // What was read after the hold ended may be a later index.
    if (now.equals(head.at())) {
      transport.send(to, new PeerMessage.ManifestPage(id, Optional.of(head), rows, isLast));
    }
  }

  /**
   * What can be given of the blocks that were asked for.
   *
   * @param unreadable those that are not live here any more, or damaged
   */
  private record Found(List<Block> blocks, List<Cid> unreadable) {}

  private Found read(Replica replica, List<Cid> cids) {
    List<Block> blocks = new ArrayList<>();
    List<Cid> unreadable = new ArrayList<>();
    long bytes = 0;
    for (Cid cid : cids) {
      Optional<Block> block = replica.heldBlock(cid).or(() -> replica.liveBlock(cid));
      if (block.isPresent()) {
        bytes += block.get().size();
        if (!blocks.isEmpty() && bytes > options.fetchBytesMax()) {
          return new Found(blocks, unreadable);
        }
        blocks.add(block.get());
      } else {
        unreadable.add(cid);
      }
    }
    return new Found(blocks, unreadable);
  }
}
