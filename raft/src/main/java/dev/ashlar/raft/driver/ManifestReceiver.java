package dev.ashlar.raft.driver;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.StoreFailedException;
import dev.ashlar.block.engine.EngineBatch;
import dev.ashlar.block.engine.ManifestHead;
import dev.ashlar.block.engine.ManifestRow;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.block.root.RootKey;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.replication.Replica;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Takes a manifest and the blocks that are lacking from the leader, page by page, into the next
 * generation of the index. What it has taken stays, over restarts and over a change of manifest.
 *
 * <pre>
 * IDLE → PAGE (asked for) → ROWS (finding what is missing) → BLOCKS (asked for) → ROWS …
 *      → PAGE …  → ROOTS (asked for) …  → READY (told to the core)
 * </pre>
 */
final class ManifestReceiver {

  /** How many election timeouts an answer may take before it is asked for again. */
  private static final int PATIENCE_TIMEOUTS = 5;

  private static final int PATIENCE_MAX = 8;

  private enum Step {
    IDLE,
    PAGE,
    ROWS,
    BLOCKS,
    ROOTS,
    READY
  }

  private final DriverOptions options;
  private final Storage storage;
  private final Transport transport;
  private final Consumer<ManifestHead> ready;
  private final Consumer<Throwable> failed;
  private Step step = Step.IDLE;
  private long session;
  private long nextId;
  private long askedId;
  private long askedTick;
  private long now;
  private @Nullable MemberId source;
  private @Nullable ManifestHead head;
  private Optional<Multihash> after = Optional.empty();
  private List<ManifestRow> rows = List.of();
  private boolean isLast;
  private Optional<RootKey> afterRoot = Optional.empty();
  private final List<Block> fetched = new ArrayList<>();
  private final Supplier<List<MemberId>> members;
  private Set<Multihash> wanted = Set.of();
  private int turn;
  private int patience = 1;

  /**
   * @param members who may have blocks that the source cannot read
   * @param ready told once everything but the switch is done
   * @param failed told of what is wrong with the storage, other than that it is full
   */
  ManifestReceiver(
      DriverOptions options,
      Storage storage,
      Transport transport,
      long firstId,
      Supplier<List<MemberId>> members,
      Consumer<ManifestHead> ready,
      Consumer<Throwable> failed) {
    this.options = options;
    this.storage = storage;
    this.transport = transport;
    this.nextId = firstId;
    this.members = members;
    this.ready = ready;
    this.failed = failed;
  }

  boolean isActive() {
    return step != Step.IDLE;
  }

  /** The leader says that what this member lacks is compacted. */
  void offered(MemberId leader) {
    if (step == Step.READY || (isActive() && leader.equals(source))) {
      return;
    }
    source = leader;
    restart();
  }

  /** The log caught up, or the switch is done or was not wanted. */
  void end() {
    step = Step.IDLE;
    session++;
    source = null;
    head = null;
    rows = List.of();
    fetched.clear();
  }

  void tick(long tick) {
    now = tick;
    if (waits() && now - askedTick > patienceTicks()) {
      // A slow answer is still taken when it comes; asking more often would make it slower.
      patience = Math.min(PATIENCE_MAX, 2 * patience);
      if (step == Step.BLOCKS) {
        askAnother();
      } else {
        // Where its manifest is gone a page of the next one comes; what was fetched stays.
        askForPage();
      }
    }
  }

  private boolean waits() {
    return step == Step.PAGE || step == Step.BLOCKS || step == Step.ROOTS;
  }

  /** Whoever was asked for blocks has not got them, or does not answer: the next one is asked. */
  private void askAnother() {
    turn++;
    if (turn > members.get().size()) {
      // Nobody has them: a newer manifest does not name them.
      turn = 0;
      askForPage();
    } else {
      findMissing();
    }
  }

  void page(MemberId from, PeerMessage.ManifestPage page) {
    if (step != Step.PAGE || page.id() != askedId || !from.equals(source)) {
      return;
    }
    if (page.head().isEmpty()) {
      // Not yet: the next tick that finds this request too old asks again; soon, not at once.
      askedTick = now - patienceTicks() + options.core().heartbeatTicks();
      return;
    }
    patience = 1;
    ManifestHead newHead = page.head().get();
    if (head != null && !newHead.at().equals(head.at()) && after.isPresent()) {
      // The manifest that the pages before were of is gone; what was fetched stays.
      after = Optional.empty();
    }
    head = newHead;
    rows = page.rows();
    isLast = page.isLast();
    findMissing();
  }

  void blocks(MemberId from, PeerMessage.Blocks answer) {
    if (step != Step.BLOCKS) {
      return;
    }
    List<Block> useful =
        answer.blocks().stream().filter(block -> wanted.contains(block.cid().multihash())).toList();
    if (!useful.isEmpty()) {
      patience = 1;
      turn = 0;
      fetched.addAll(useful);
      findMissing();
    } else if (answer.id() == askedId) {
      // Damaged there, or of a manifest that it has dropped.
      askedTick = now - patienceTicks() + options.core().heartbeatTicks();
    }
  }

  /** The lane to a peer broke: what was asked of it is asked again soon. */
  void lost(MemberId peer) {
    if (waits() && peer.equals(source)) {
      askedTick = Math.min(askedTick, now - patienceTicks() + options.core().heartbeatTicks());
    }
  }

  private long patienceTicks() {
    return (long) PATIENCE_TIMEOUTS * patience * options.core().electionTicksMax();
  }

  private void restart() {
    session++;
    head = null;
    after = Optional.empty();
    rows = List.of();
    fetched.clear();
    askForPage();
  }

  private void askForPage() {
    step = Step.PAGE;
    askedId = nextId++;
    askedTick = now;
    if (source != null) {
      transport.send(
          source,
          new PeerMessage.ManifestRequest(
              askedId, Optional.ofNullable(head).map(ManifestHead::at), after));
    }
  }

  /** Looks which rows of the page can be taken now, and takes them or asks for their blocks. */
  private void findMissing() {
    step = Step.ROWS;
    long mine = session;
    List<ManifestRow> page = rows;
    Set<Multihash> have = new HashSet<>();
    fetched.forEach(block -> have.add(block.cid().multihash()));
    storage.run(
        Storage.Work.READ,
        replica -> replica.engine().manifest().missing(page),
        missing -> {
          if (mine == session) {
            fetchOrTake(missing.stream().filter(row -> !have.contains(row.multihash())).toList());
          }
        },
        failure -> giveUp(mine, failure));
  }

  private void fetchOrTake(List<ManifestRow> missing) {
    long fetchedBytes = fetched.stream().mapToLong(Block::size).sum();
    boolean full = !fetched.isEmpty() && fetchedBytes >= options.fetchBytesMax();
    if (missing.isEmpty()) {
      take(rows, isLast);
    } else if (full && rows.get(0).multihash().compareTo(missing.get(0).multihash()) < 0) {
      Multihash until = missing.get(0).multihash();
      take(rows.stream().filter(row -> row.multihash().compareTo(until) < 0).toList(), false);
    } else {
      ask(missing);
    }
  }

  private void ask(List<ManifestRow> missing) {
    List<Cid> cids = new ArrayList<>();
    long bytes = 0;
    for (ManifestRow row : missing) {
      bytes += row.length();
      if (!cids.isEmpty() && bytes > options.fetchBytesMax()) {
        break;
      }
      cids.add(Cid.v1(row.codec(), row.multihash()));
    }
    step = Step.BLOCKS;
    wanted = new HashSet<>();
    cids.forEach(cid -> wanted.add(cid.multihash()));
    askedId = nextId++;
    askedTick = now;
    List<MemberId> others = members.get();
    MemberId from = turn == 0 || others.isEmpty() ? source : others.get((turn - 1) % others.size());
    if (from == null || !transport.send(from, new PeerMessage.BlocksRequest(askedId, cids))) {
      askedTick = now - patienceTicks() + options.core().heartbeatTicks();
    }
  }

  private void take(List<ManifestRow> part, boolean last) {
    long mine = session;
    Optional<Multihash> from = after;
    List<Block> blocks = List.copyOf(fetched);
    fetched.clear();
    storage.run(
        Storage.Work.WRITE,
        replica -> write(replica, from, part, blocks, last),
        taken -> {
          if (mine == session) {
            taken(part, last, taken);
          }
        },
        failure -> giveUp(mine, failure));
  }

  /** False when a block that was here is not any more, or what was swept before is in the way. */
  private static boolean write(
      Replica replica,
      Optional<Multihash> after,
      List<ManifestRow> part,
      List<Block> blocks,
      boolean last) {
    StorageEngine engine = replica.engine();
    Set<Multihash> verified = new HashSet<>();
    List<Block> sound = new ArrayList<>();
    for (Block block : blocks) {
      try {
        sound.add(Block.verified(block.cid(), block.bytes()));
        verified.add(block.cid().multihash());
      } catch (BlockException e) {
        // Its bytes are not what the CID says: it counts as not fetched and is asked for again.
        verified.remove(block.cid().multihash());
      }
    }
    boolean complete =
        engine.manifest().missing(part).stream()
            .allMatch(row -> verified.contains(row.multihash()));
    if (!complete || engine.isSweeping()) {
      return false;
    }
    try (EngineBatch batch = engine.begin()) {
      batch.install(after, part, sound, last);
      batch.commit();
    }
    return true;
  }

  private void taken(List<ManifestRow> part, boolean last, boolean taken) {
    if (!taken) {
      step = Step.BLOCKS;
      askedTick = now;
      return;
    }
    if (!part.isEmpty()) {
      after = Optional.of(part.get(part.size() - 1).multihash());
      rows = rows.subList(part.size(), rows.size());
    }
    if (last) {
      afterRoot = Optional.empty();
      askForRoots();
    } else if (rows.isEmpty()) {
      askForPage();
    } else {
      findMissing();
    }
  }

  /** A member that knows of no roots leads a cluster that has none. */
  private void askForRoots() {
    if (head == null || source == null) {
      return;
    }
    if (!transport.isKnownBy(source, Features.ROOTS)) {
      step = Step.READY;
      ready.accept(head);
      return;
    }
    step = Step.ROOTS;
    askedId = nextId++;
    askedTick = now;
    transport.send(source, new PeerMessage.RootsRequest(askedId, head.at(), afterRoot));
  }

  void roots(MemberId from, PeerMessage.RootsPage page) {
    if (step != Step.ROOTS || page.id() != askedId || !from.equals(source) || head == null) {
      return;
    }
    patience = 1;
    step = Step.ROWS;
    head = head.withRoots(page.count(), page.rootSetAt());
    long mine = session;
    Optional<RootKey> startsAfter = afterRoot;
    storage.run(
        Storage.Work.WRITE,
        replica -> writeRoots(replica, startsAfter, page),
        taken -> {
          if (mine == session) {
            rootsTaken(page, taken);
          }
        },
        failure -> giveUp(mine, failure));
  }

  /** False when what was swept before is in the way. */
  private static boolean writeRoots(
      Replica replica, Optional<RootKey> after, PeerMessage.RootsPage page) {
    if (replica.engine().isSweeping()) {
      return false;
    }
    try (EngineBatch batch = replica.engine().begin()) {
      batch.installRoots(after, page.records(), page.isLast());
      batch.commit();
    }
    return true;
  }

  private void rootsTaken(PeerMessage.RootsPage page, boolean taken) {
    if (!taken) {
      step = Step.ROOTS;
      askedTick = now;
      return;
    }
    if (!page.records().isEmpty()) {
      afterRoot = Optional.of(page.records().get(page.records().size() - 1).key());
    }
    if (page.isLast() && head != null) {
      step = Step.READY;
      ready.accept(head);
    } else {
      askForRoots();
    }
  }

  /** The leader offers it again; with storage that is damaged it would never come to an end. */
  private void giveUp(long ofSession, Throwable why) {
    if (ofSession != session) {
      return;
    }
    end();
    if (why instanceof StoreDamagedException || why instanceof StoreFailedException) {
      failed.accept(why);
    }
  }
}
