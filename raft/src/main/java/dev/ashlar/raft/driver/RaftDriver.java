package dev.ashlar.raft.driver;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.engine.Damage;
import dev.ashlar.block.engine.EngineBatch;
import dev.ashlar.block.engine.EngineStatus;
import dev.ashlar.block.engine.ManifestHead;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.raft.core.Entry;
import dev.ashlar.raft.core.EntryId;
import dev.ashlar.raft.core.Envelope;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import dev.ashlar.raft.core.Message;
import dev.ashlar.raft.core.RaftCore;
import dev.ashlar.raft.core.RaftFault;
import dev.ashlar.raft.core.Ready;
import dev.ashlar.raft.core.Role;
import dev.ashlar.raft.replication.BlockCommand;
import dev.ashlar.raft.replication.MembershipCodec;
import dev.ashlar.raft.replication.Replica;
import dev.ashlar.raft.replication.WriteResult;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One member at work: hands inputs to the core, and what it owes to storage and transport.
 *
 * <p>For one thread; never blocks. What is handed in takes effect at the next {@link #pump()},
 * which the host is asked to schedule, so that what is waiting makes one batch.
 */
public final class RaftDriver {

  private static final int FREE_SPACE_TICKS = 50;

  /** For how many election timeouts a write waits for a leader. */
  private static final int LEADER_TIMEOUTS = 3;

  /** Nobody asked for it, and nobody waits for its end. */
  private static final long NO_REQUEST = -1;

  private final MemberId self;
  private final DriverOptions options;
  private final RandomGenerator random;
  private final Storage storage;
  private final Transport transport;
  private final Host host;
  private final Requests requests;
  private final SeenIds seen = new SeenIds();
  private final EntryCache cache;
  private final ManifestSender manifests;
  private final ManifestReceiver receiver;
  private final Copies copies;
  private final Scrub scrub;
  private final LogUpkeep upkeep;
  private final FreeSpace space;
  private final ArrayDeque<Ready.Write> waiting = new ArrayDeque<>();
  private final Reads reads;
  private RaftCore core;

  /** Counts the cores that this driver has had; results for an earlier one mean nothing. */
  private int epoch;

  private boolean restoring;
  private boolean writing;
  private boolean applying;
  private boolean hasRoots;
  private long applyTo;
  private long applied;
  private long now;
  private long restoreTick;
  private long offerTick;
  private boolean diskInstalling;
  private boolean hadOthers;
  private boolean scheduled;
  private boolean stopped;

  /** Whether entries that could not be read are being mended. */
  private boolean rewriting;

  private @Nullable ManifestHead installHead;

  /**
   * @param self this member
   * @param random of this member alone, seeded anew at each start
   * @param restored what its replica says
   */
  public RaftDriver(
      MemberId self,
      DriverOptions options,
      RandomGenerator random,
      RaftCore.Restored restored,
      Storage storage,
      Transport transport,
      Host host) {
    this.self = self;
    this.options = options;
    this.random = random;
    this.storage = storage;
    this.transport = transport;
    this.host = host;
    this.core = new RaftCore(self, options.core(), random, restored);
    this.applied = restored.applied();
    this.applyTo = applied;
    // Ids of requests are never used again, also not after a restart.
    this.requests =
        new Requests(
            random.nextLong() >>> 2,
            options.pendingBytesMax(),
            options.requestTicks(),
            LEADER_TIMEOUTS * options.core().electionTicksMax());
    this.reads = new Reads(options.requestTicks());
    this.cache = new EntryCache(options.cacheBytesMax());
    this.manifests =
        new ManifestSender(
            options, storage, transport, cid -> copy(cid, block -> {}), this::logDamaged);
    this.receiver =
        new ManifestReceiver(
            options,
            storage,
            transport,
            random.nextLong() >>> 2,
            this::others,
            this::manifestInstalled,
            this::storageFailed);
    this.copies =
        new Copies(
            options,
            storage,
            transport,
            random.nextLong() >>> 2,
            this::others,
            this::storageFailed,
            this::unknownToOthers);
    this.scrub =
        new Scrub(
            options.scrub(),
            storage,
            cid -> copy(cid, block -> {}),
            this::indexDamaged,
            this::storageFailed);
    this.upkeep = new LogUpkeep(options);
    this.space = new FreeSpace(self, options.reserveBytes());
    noteOthers();
  }

  /** Time passes. */
  public void tick() {
    if (stopped) {
      return;
    }
    now++;
    if (restoring) {
      restoreWhenDue();
    } else {
      guard(core::tick);
    }
    requests.expire(now);
    reads.expire(now);
    receiver.tick(now);
    copies.tick(now);
    scrub.tick(now);
    dropInstallIfCaughtUp();
    manifests.tick(now, core.appendedBytes());
    if (now % FREE_SPACE_TICKS == 1) {
      lookAtFreeSpace();
    }
    schedule();
  }

  /** A message has come. */
  public void receive(MemberId from, PeerMessage message) {
    if (stopped) {
      return;
    }
    if (message instanceof PeerMessage.Protocol protocol) {
      if (!restoring) {
        guard(() -> core.step(from, protocol.message()));
      }
    } else if (message instanceof PeerMessage.Announce announce) {
      space.announced(from, announce.lacksSpace());
    } else if (message instanceof PeerMessage.Forward forward) {
      forwarded(from, forward.id(), new Requests.What.Write(forward.command()));
    } else if (message instanceof PeerMessage.ForwardAdmin forward) {
      forwarded(from, forward.id(), new Requests.What.Admin(forward.command()));
    } else if (message instanceof PeerMessage.Forwarded answer) {
      requests.answered(from, answer.id(), answer.result(), now);
    } else if (message instanceof PeerMessage.ManifestRequest request) {
      manifests.request(from, request, now, core.appendedBytes());
    } else if (message instanceof PeerMessage.BlocksRequest request) {
      manifests.blocks(from, request, now);
    } else if (message instanceof PeerMessage.ManifestPage page) {
      receiver.page(from, page);
    } else if (message instanceof PeerMessage.RootsRequest request) {
      manifests.roots(from, request, now);
    } else if (message instanceof PeerMessage.RootsPage page) {
      receiver.roots(from, page);
    } else if (message instanceof PeerMessage.Blocks blocks) {
      receiver.blocks(from, blocks);
    } else if (message instanceof PeerMessage.CopyRequest request) {
      copies.request(from, request);
    } else if (message instanceof PeerMessage.Copy copy) {
      copies.answer(from, copy);
    }
    schedule();
  }

  /** A lane to a peer broke. */
  public void lost(MemberId peer, Lane lane) {
    if (stopped) {
      return;
    }
    if (lane == Lane.BULK) {
      requests.lost(peer);
      receiver.lost(peer);
    }
    guard(() -> core.lost(peer));
    schedule();
  }

  /**
   * Asks for a write, wherever the leader is.
   *
   * @param done is given its end, on this thread
   */
  public void write(BlockCommand command, Consumer<WriteResult> done) {
    submit(new Requests.What.Write(command), false, done);
  }

  /**
   * Asks for a change of the cluster; done when the leader has taken it, not when it is complete.
   */
  public void admin(AdminCommand command, Consumer<WriteResult> done) {
    submit(new Requests.What.Admin(command), false, done);
  }

  /**
   * Waits until this replica shows everything that was done before the call (thesis §6.4).
   *
   * @param done is given false when that could not be made sure
   */
  public void read(Consumer<Boolean> done) {
    if (stopped) {
      done.accept(false);
      return;
    }
    long token = reads.add(done, now);
    if (token < 0) {
      done.accept(false);
      return;
    }
    // While the core is made anew, the read waits for the new one.
    if (!restoring) {
      core.read(token);
    }
    schedule();
  }

  /**
   * Gets a live block from another member because the copy here is damaged, and mends it.
   *
   * @param done is given the block, empty when nobody has it
   */
  public void copy(Cid cid, Consumer<Optional<Block>> done) {
    if (stopped) {
      done.accept(Optional.empty());
    } else {
      copies.get(cid, done);
    }
  }

  /** What the scrub has come to. */
  public ScrubStatus scrubbed() {
    return scrub.status();
  }

  /** How many damaged blocks have been mended from other members since the start. */
  public long mended() {
    return copies.mended();
  }

  /** Does all that the inputs since the last time have made due. */
  public void pump() {
    scheduled = false;
    if (stopped) {
      return;
    }
    guard(
        () -> {
          placeWaiting();
          if (!restoring) {
            handle(core.takeReady());
          }
        });
    if (!stopped) {
      guard(this::startApply);
      guard(this::startWrite);
    }
  }

  /** Answers everything that waits and does nothing any more. */
  public void stop() {
    if (!stopped) {
      stopped = true;
      requests.stop();
      reads.failAll();
      copies.stop();
    }
  }

  /** Whether writes wait for their end. */
  public boolean isBusy() {
    return !stopped && !requests.isEmpty();
  }

  /** This member. */
  public MemberId self() {
    return self;
  }

  /** The core, to look at; its inputs come through the driver alone. */
  public RaftCore core() {
    return core;
  }

  /** Up to where entries have taken effect on this replica. */
  public long applied() {
    return applied;
  }

  /** Whether the driver has been stopped, or has stopped by itself. */
  public boolean isStopped() {
    return stopped;
  }

  /** Whether this replica is taking a manifest, so that what it has is known to be old. */
  public boolean isInstalling() {
    return receiver.isActive();
  }

  private List<MemberId> others() {
    return core.status().membership().members().stream()
        .filter(member -> !member.equals(self))
        .toList();
  }

  private void schedule() {
    if (!scheduled && !stopped) {
      scheduled = true;
      host.schedulePump();
    }
  }

  /** A fault of the core, or of the code around it, ends this member: never half of an input. */
  private void guard(Runnable input) {
    try {
      input.run();
    } catch (RaftFault e) {
      fail(e.kind() == RaftFault.Kind.LOG_REGRESSED ? damaged(e) : e);
    } catch (RuntimeException e) {
      fail(e);
    }
  }

  private static StoreDamagedException damaged(RaftFault why) {
    StoreDamagedException damage = new StoreDamagedException(String.valueOf(why.getMessage()));
    damage.initCause(why);
    return damage;
  }

  private void fail(Throwable why) {
    if (!stopped) {
      stop();
      host.failed(why);
    }
  }

  private void submit(Requests.What what, boolean isForwarded, Consumer<WriteResult> done) {
    if (stopped) {
      done.accept(new WriteResult.NotDone(WriteResult.Reason.STOPPING));
      return;
    }
    requests.add(what, isForwarded, done, now);
    schedule();
  }

  private void forwarded(MemberId from, long id, Requests.What what) {
    if (!seen.isFirst(from, id)) {
      return;
    }
    submit(what, true, result -> transport.send(from, new PeerMessage.Forwarded(id, result)));
  }

  /** Gives every request that waits to the core, or to the leader that is known. */
  private void placeWaiting() {
    if (restoring) {
      return;
    }
    boolean leads = core.status().role() instanceof Role.Leader;
    Optional<MemberId> leader = core.leader();
    for (Requests.Request request : requests.waiting(now)) {
      if (needsRoots(request.what) && !allKnowRoots()) {
        requests.finish(request, new WriteResult.NotDone(WriteResult.Reason.UNSUPPORTED));
      } else if (leads) {
        propose(request);
      } else if (request.isForwarded) {
        requests.finish(request, new WriteResult.NotDone(WriteResult.Reason.NOT_LEADER));
      } else if (leader.isPresent()) {
        send(request, leader.get());
      }
    }
  }

  /**
   * Whether the store was seen to have pins or references: who does not know them takes no part.
   */
  public boolean hasRoots() {
    return hasRoots;
  }

  private static boolean needsRoots(Requests.What what) {
    return what instanceof Requests.What.Write write
        && (write.command() instanceof BlockCommand.Roots
            || write.command() instanceof BlockCommand.Collect);
  }

  /** What has been used once every member knows, and those who come later have to. */
  private boolean allKnowRoots() {
    return hasRoots
        || core.status().membership().members().stream()
            .allMatch(m -> m.equals(self) || transport.isKnownBy(m, Features.ROOTS));
  }

  private void propose(Requests.Request request) {
    if (request.what instanceof Requests.What.Write write) {
      if (write.command() instanceof BlockCommand.Put
          && !space.hasQuorum(core.status().membership())) {
        requests.finish(request, new WriteResult.NotDone(WriteResult.Reason.NO_SPACE));
        return;
      }
      requests.proposed(request);
      core.propose(request.token, write.command().bytes(), write.command());
    } else {
      requests.proposed(request);
      administer(request, ((Requests.What.Admin) request.what).command());
    }
  }

  private void administer(Requests.Request request, AdminCommand command) {
    if (command instanceof AdminCommand.Transfer transfer) {
      boolean possible = core.status().membership().voters().contains(transfer.member());
      if (possible) {
        core.transferTo(request.token, transfer.member());
      }
      requests.finish(
          request, possible ? Requests.taken() : new WriteResult.NotDone(WriteResult.Reason.BUSY));
      return;
    }
    Membership membership = core.status().membership();
    Map<MemberId, String> addresses = new HashMap<>();
    Optional<Membership.Target> target;
    if (command instanceof AdminCommand.Add add) {
      addresses.put(add.member(), add.address());
      // A cluster of one was founded where nobody else reached it: from now on it matters.
      addresses.put(self, host.address());
      target = Targets.adding(membership, add);
    } else {
      target = Targets.removing(membership, command.member());
    }
    if (target.isEmpty()) {
      requests.finish(request, Requests.taken());
    } else {
      core.change(request.token, target.get(), addresses);
    }
  }

  private void send(Requests.Request request, MemberId leader) {
    long id = requests.nextSendId();
    PeerMessage message =
        request.what instanceof Requests.What.Write write
            ? new PeerMessage.Forward(id, write.command())
            : new PeerMessage.ForwardAdmin(id, ((Requests.What.Admin) request.what).command());
    if (transport.send(leader, message)) {
      requests.sent(request, id, leader);
    }
  }

  private void handle(Ready ready) {
    // What has to become durable comes first: nothing that goes wrong later may lose it.
    ready.write().ifPresent(this::owe);
    noteOthers();
    ready.status().ifPresent(host::changed);
    ready.rejected().forEach(this::rejected);
    ready.accepted().forEach(each -> requests.accepted(each.token(), each.id()));
    for (Envelope envelope : ready.messages()) {
      transport.send(envelope.to(), new PeerMessage.Protocol(envelope.message()));
    }
    ready.ranges().forEach(this::replicate);
    applyTo = Math.max(applyTo, ready.applyTo());
    ready.reads().forEach(read -> reads.confirmed(read.token(), read.index(), applied));
    ready
        .install()
        .ifPresent(
            install -> {
              offerTick = now;
              receiver.offered(install.leader());
            });
  }

  private void rejected(Ready.Rejected rejected) {
    if (!reads.rejected(rejected.token())) {
      requests.rejected(rejected.token(), rejected.reason());
    }
  }

  /** Whether an entry of this member may be anywhere else. */
  private void noteOthers() {
    hadOthers |= core.status().membership().members().size() > 1;
  }

  private void owe(Ready.Write write) {
    waiting.add(write);
    if (write.install().isPresent()) {
      cache.clear();
    }
    if (write.truncateFrom() > 0) {
      cache.truncateFrom(write.truncateFrom());
    }
    cache.add(write.entries());
    space.owe(bytesOf(write));
  }

  private void replicate(Ready.Range range) {
    if (range.previous().equals(range.last())) {
      sendEntries(range, List.of());
      return;
    }
    Optional<List<Entry>> cached = cache.range(range.previous(), range.last());
    if (cached.isPresent()) {
      sendEntries(range, cached.get());
      return;
    }
    int mine = epoch;
    storage.run(
        Storage.Work.READ,
        replica -> replica.read(range.previous(), range.last()),
        found -> {
          if (mine == epoch && leads(range.term())) {
            found.ifPresentOrElse(entries -> sendEntries(range, entries), () -> unreadable(range));
            schedule();
          }
        },
        this::storageFailed);
  }

  /** Nothing was sent. It may be that the log has moved on, or that the disk has lost bytes. */
  private void unreadable(Ready.Range range) {
    core.lost(range.to());
    if (rewriting) {
      return;
    }
    rewriting = true;
    storage.run(
        // Nothing is compacted or cut while it looks.
        Storage.Work.APPLY,
        replica -> replica.unreadable(range.previous(), range.last()),
        damaged -> {
          if (damaged.isPresent()) {
            copies.get(damaged.get(), copy -> rewrite(range, copy));
          } else {
            rewriting = false;
          }
        },
        failure -> {
          rewriting = false;
          if (failure instanceof StoreDamagedException damage) {
            logDamaged(damage);
          } else {
            storageFailed(failure);
          }
        });
  }

  private void rewrite(Ready.Range range, Optional<Block> copy) {
    if (copy.isEmpty()) {
      rewriting = false;
      // Nobody has them to give: whoever lacks the entry takes a snapshot, once it is compacted.
      upkeep.cannotGive(range.last().index());
      return;
    }
    storage.run(
        Storage.Work.WRITE,
        replica -> replica.rewrite(range.previous(), range.last(), copy.get()),
        done -> rewriting = false,
        failure -> {
          rewriting = false;
          storageFailed(failure);
        });
  }

  /** What was read for one term is never sent in another. */
  private boolean leads(long term) {
    Ready.Status status = core.status();
    return status.term() == term && status.role() instanceof Role.Leader;
  }

  private void sendEntries(Ready.Range range, List<Entry> entries) {
    Message message =
        new Message.AppendEntries(range.term(), range.previous(), entries, range.commit());
    if (!transport.send(range.to(), new PeerMessage.Protocol(message)) && !entries.isEmpty()) {
      core.lost(range.to());
    }
  }

  private void startApply() {
    if (applying || restoring || applyTo <= applied) {
      return;
    }
    applying = true;
    long to = Math.min(applyTo, applied + options.applyEntriesMax());
    int mine = epoch;
    boolean canBeReplaced = canBeReplaced();
    storage.run(
        Storage.Work.APPLY,
        replica -> replica.engine().apply(to, canBeReplaced),
        entries -> {
          applying = false;
          if (mine == epoch) {
            appliedTo(to, entries);
          }
          schedule();
        },
        this::storageFailed);
  }

  private void appliedTo(long index, List<StorageEngine.Applied> entries) {
    applied = Math.max(applied, index);
    requests.applied(entries);
    reads.applied(applied);
  }

  private void startWrite() {
    if (writing || restoring) {
      return;
    }
    List<Ready.Write> batch = nextBatch();
    boolean changesNothing = batch.stream().allMatch(Ready.Write::changesNothing);
    long compactTo = upkeep.compactTo(core, applied, now, manifests.isHolding());
    boolean keepsUp = batch.isEmpty() && upkeep.isDue(now);
    if (changesNothing && compactTo == 0 && !keepsUp) {
      if (!batch.isEmpty()) {
        written(batch);
      }
      return;
    }
    writing = true;
    int mine = epoch;
    Optional<ManifestHead> head = Optional.ofNullable(installHead);
    boolean freezes = upkeep.freezes();
    storage.run(
        Storage.Work.WRITE,
        replica -> writeToDisk(replica, batch, head, compactTo, keepsUp, freezes),
        disk -> {
          writing = false;
          diskInstalling = disk.installing();
          disk.damage()
              .ifPresent(
                  damage ->
                      logDamaged(
                          new StoreDamagedException(
                              "log entry " + damage.index() + ": " + damage.what())));
          if (mine == epoch) {
            upkeep.wrote(disk.status().watermark());
            core.compacted(Math.min(disk.status().base().index(), core.commitIndex()));
            space.looked(disk.freeBytes());
            written(batch);
          }
          schedule();
        },
        this::storageFailed);
  }

  private static Disk writeToDisk(
      Replica replica,
      List<Ready.Write> batch,
      Optional<ManifestHead> head,
      long compactTo,
      boolean keepsUp,
      boolean freezes) {
    if (freezes) {
      replica.engine().freeze();
    }
    boolean changes = batch.stream().anyMatch(write -> !write.changesNothing());
    if (changes || compactTo > 0 || (keepsUp && replica.engine().hasUpkeep())) {
      replica.write(batch, head, compactTo);
    }
    StorageEngine engine = replica.engine();
    return new Disk(engine.status(), engine.isInstalling(), engine.freeBytes(), engine.damage());
  }

  /** What a disk looks like after a write. */
  private record Disk(
      EngineStatus status, boolean installing, long freeBytes, Optional<Damage> damage) {}

  /** What shares the next transaction: all that waits, up to a bound; an install alone. */
  private List<Ready.Write> nextBatch() {
    List<Ready.Write> batch = new ArrayList<>();
    long bytes = 0;
    while (!waiting.isEmpty() && bytes < options.batchBytesMax()) {
      Ready.Write next = waiting.element();
      // What a batch drops must not be what an earlier write in it promised to have.
      boolean drops = next.install().isPresent() || next.truncateFrom() > 0;
      if (drops && !batch.isEmpty()) {
        break;
      }
      batch.add(waiting.remove());
      bytes += bytesOf(next);
      if (next.install().isPresent()) {
        break;
      }
    }
    return batch;
  }

  private static long bytesOf(Ready.Write write) {
    return write.entries().stream().mapToLong(Entry::bytes).sum();
  }

  private void written(List<Ready.Write> batch) {
    if (batch.isEmpty()) {
      return;
    }
    for (Ready.Write write : batch) {
      space.wrote(bytesOf(write));
      write.install().ifPresent(this::installed);
      for (Envelope envelope : write.afterwards()) {
        transport.send(envelope.to(), new PeerMessage.Protocol(envelope.message()));
      }
    }
    guard(() -> core.persisted(batch.get(batch.size() - 1).number()));
    schedule();
  }

  private void installed(EntryId at) {
    applied = Math.max(applied, at.index());
    applyTo = Math.max(applyTo, applied);
    installHead = null;
    receiver.end();
    manifests.end();
    requests.installed(at.index());
    reads.applied(applied);
  }

  /** Everything but the switch is done: the core says whether it is still wanted. */
  private void manifestInstalled(ManifestHead head) {
    if (stopped || restoring) {
      receiver.end();
      return;
    }
    Membership membership =
        head.configuration().hasRemaining()
            ? MembershipCodec.decode(head.configuration())
            : Membership.NONE;
    installHead = head;
    guard(
        () -> {
          if (!core.snapshotReady(new EntryId(head.at().index(), head.at().term()), membership)) {
            installHead = null;
            receiver.end();
            abandonInstall();
          }
        });
    schedule();
  }

  /**
   * A leader that needs a snapshot taken says so again and again; one that does not serves the log.
   */
  private void dropInstallIfCaughtUp() {
    boolean wanted = now - offerTick <= 2L * options.core().electionTicksMax();
    boolean lies = receiver.isActive() || diskInstalling;
    if (lies && !wanted && !restoring && core.leader().isPresent() && installHead == null) {
      receiver.end();
      diskInstalling = false;
      abandonInstall();
    }
  }

  private void abandonInstall() {
    storage.run(
        Storage.Work.WRITE,
        replica -> {
          try (EngineBatch batch = replica.engine().begin()) {
            batch.abandonInstall();
            batch.commit();
          }
          return true;
        },
        done -> {},
        this::storageFailed);
  }

  /** What is looked at now and then. */
  private record Look(long freeBytes, boolean hasRoots) {}

  private void lookAtFreeSpace() {
    int mine = epoch;
    storage.run(
        Storage.Work.READ,
        replica -> new Look(replica.engine().freeBytes(), replica.engine().hasRoots()),
        look -> {
          hasRoots |= look.hasRoots();
          if (mine == epoch) {
            space.looked(look.freeBytes());
          }
          for (MemberId member : core.status().membership().members()) {
            if (!member.equals(self)) {
              transport.send(member, new PeerMessage.Announce(space.isLacking()));
            }
          }
        },
        this::storageFailed);
  }

  /**
   * For want of space nothing was written: a new core begins from what the disk says. Anything else
   * ends this member, for nothing that is read back can be trusted.
   */
  private void storageFailed(Throwable why) {
    if (stopped) {
      return;
    }
    if (!(why instanceof NoSpaceException)) {
      fail(why);
      return;
    }
    epoch++;
    restoring = true;
    writing = false;
    applying = false;
    waiting.clear();
    cache.clear();
    receiver.end();
    installHead = null;
    space.ranOut();
    restoreTick = now + options.core().electionTicksMin();
    // Entries that are durable take effect later; others left this member only if there are others.
    requests.coreLost(
        core.durableIndex(),
        hadOthers
            ? new WriteResult.Unknown()
            : new WriteResult.NotDone(WriteResult.Reason.NO_SPACE));
    reads.doubt();
    schedule();
  }

  /**
   * A log that is damaged can neither be given to others nor compacted: among three voters or more
   * the member makes room for a sound one. Where it cannot be replaced it goes on as well as it
   * can.
   */
  private void logDamaged(StoreDamagedException why) {
    if (canBeReplaced()) {
      fail(why);
    }
  }

  /** An index that hides blocks makes reads wrong: the member ends where it can be replaced. */
  private void indexDamaged(StoreDamagedException why) {
    logDamaged(why);
    if (!stopped) {
      host.damaged(why);
    }
  }

  private boolean canBeReplaced() {
    return core.status().membership().voters().size() >= 3;
  }

  /**
   * A row that fails its checksum and names what nobody else has is one whose key is damaged, and
   * hides the block that it is about. Where somebody could not be asked, a member that has not all
   * may be needed still; but no manifest of it can be whole, so it must not lead.
   */
  private void unknownToOthers(Cid cid, boolean allWereAsked) {
    if (restoring || applied < core.commitIndex()) {
      // It is behind: what it has may have been deleted since.
      return;
    }
    storage.run(
        Storage.Work.READ,
        replica -> replica.engine().manifest().isRowDamaged(cid.multihash()),
        damaged -> {
          if (damaged && !allWereAsked) {
            leaveTheLead();
          } else if (damaged) {
            logDamaged(
                new StoreDamagedException(
                    "a row of the index is damaged, and no other member has block "
                        + cid
                        + " that it names: what it is about cannot be known"));
          }
        },
        this::storageFailed);
  }

  private void leaveTheLead() {
    core.status().membership().voters().stream()
        .filter(voter -> !voter.equals(self))
        .max(Comparator.comparingLong(this::matchOf))
        .filter(voter -> matchOf(voter) > 0)
        .ifPresent(voter -> guard(() -> core.transferTo(NO_REQUEST, voter)));
    schedule();
  }

  private long matchOf(MemberId voter) {
    RaftCore.Peer peer = core.peers().get(voter);
    return peer == null ? 0 : peer.match();
  }

  private void restoreWhenDue() {
    if (now < restoreTick) {
      return;
    }
    restoreTick = Long.MAX_VALUE;
    int mine = epoch;
    storage.run(
        Storage.Work.WRITE,
        Replica::restored,
        restored -> {
          if (mine == epoch) {
            core = new RaftCore(self, options.core(), random, restored);
            applied = restored.applied();
            applyTo = applied;
            restoring = false;
            reads.unconfirmed().forEach(core::read);
            host.changed(core.status());
            schedule();
          }
        },
        this::storageFailed);
  }
}
