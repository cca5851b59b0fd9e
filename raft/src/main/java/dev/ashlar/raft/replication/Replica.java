package dev.ashlar.raft.replication;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockDamagedException;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.engine.Command;
import dev.ashlar.block.engine.EngineBatch;
import dev.ashlar.block.engine.EngineStatus;
import dev.ashlar.block.engine.LogEntry;
import dev.ashlar.block.engine.LogPosition;
import dev.ashlar.block.engine.ManifestHead;
import dev.ashlar.block.engine.Miscount;
import dev.ashlar.block.engine.ScrubPlace;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.raft.core.Entry;
import dev.ashlar.raft.core.EntryId;
import dev.ashlar.raft.core.HardState;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import dev.ashlar.raft.core.Payload;
import dev.ashlar.raft.core.RaftCore;
import dev.ashlar.raft.core.Ready;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.BiPredicate;

/**
 * A member's disk: turns what the core wants written into batches of the engine, and back at start.
 *
 * <p>Everything here blocks on storage. Writes come from one thread.
 */
public final class Replica {

  private final StorageEngine engine;

  /** The replica in an engine, which the caller closes. */
  public Replica(StorageEngine engine) {
    this.engine = engine;
  }

  /** The engine underneath: reads of applied state, and the upkeep. */
  public StorageEngine engine() {
    return engine;
  }

  /**
   * Makes an empty or single-node disk a founding member's: identity and first configuration in one
   * transaction, before any election.
   *
   * @throws IllegalStateException when it belongs to a cluster already
   */
  public void found(UUID cluster, MemberId self, Membership first) {
    if (engine.cluster().isPresent()) {
      throw new IllegalStateException("the disk belongs to cluster " + engine.cluster().get());
    }
    try (EngineBatch batch = engine.begin()) {
      batch.member(self.uuid());
      batch.cluster(cluster);
      // Every founding member writes the same entry, so it is committed from the start.
      long term = Math.max(1, batch.last().term());
      shareIfOthers(batch, first);
      batch.append(term, new Command.Configuration(MembershipCodec.encode(first)));
      batch.applyTo(batch.last().index());
      batch.commit();
    }
  }

  /**
   * The member that this disk is, made durable before it is told to anybody.
   *
   * @param fresh the id that it gets when it has none
   */
  public MemberId memberOr(MemberId fresh) {
    Optional<UUID> member = engine.member();
    if (member.isPresent()) {
      return new MemberId(member.get());
    }
    try (EngineBatch batch = engine.begin()) {
      batch.member(fresh.uuid());
      batch.commit();
    }
    return fresh;
  }

  /** Makes an empty disk that of a member which is to be added to a cluster: it has no log yet. */
  public void join(UUID cluster, MemberId self) {
    if (engine.status().last().index() > 0) {
      throw new IllegalStateException("only an empty disk can join a cluster");
    }
    try (EngineBatch batch = engine.begin()) {
      batch.member(self.uuid());
      batch.cluster(cluster);
      batch.shared();
      batch.commit();
    }
  }

  /**
   * Checks that the member knows what it has promised.
   *
   * @throws StoreDamagedException when the log or hard state is damaged
   */
  public void requireSound() {
    if (engine.isHardStateStale() || engine.damage().isPresent()) {
      throw new StoreDamagedException(
          "the replica is damaged ("
              + engine
                  .damage()
                  .map(d -> "log entry " + d.index() + ": " + d.what())
                  .orElse("the newest hard state fails its checksum")
              + "): it cannot know what it has promised; set the directory aside and join anew");
    }
  }

  /**
   * Makes this member the only one of another cluster, with everything that its log has: for when
   * the others are lost for good. What they had acknowledged and this log has not is lost with
   * them; what this log has and was never acknowledged becomes part of the new cluster.
   *
   * @param cluster the id of the new cluster, which no member of the old one will talk to
   * @param address where the member is reached
   * @throws StoreDamagedException as {@link #requireSound}
   */
  public void recover(UUID cluster, String address) {
    requireSound();
    MemberId self =
        engine
            .member()
            .map(MemberId::new)
            .orElseThrow(() -> new IllegalStateException("the directory has never been a member"));
    SortedMap<MemberId, String> only = new TreeMap<>();
    only.put(self, address);
    try (EngineBatch batch = engine.begin()) {
      long term = Math.max(engine.hardState().term(), batch.last().term()) + 1;
      batch.cluster(cluster);
      batch.append(term, new Command.Configuration(MembershipCodec.encode(Membership.of(only))));
      batch.hardState(new dev.ashlar.block.engine.HardState(term, Optional.empty()));
      batch.commit();
    }
  }

  /** The membership at the end of the log, committed or not. */
  public Membership membership() {
    return engine
        .log()
        .configurationAt(engine.status().last().index())
        .map(MembershipCodec::decode)
        .orElse(Membership.NONE);
  }

  /**
   * What a core begins with.
   *
   * @throws StoreDamagedException when the log or hard state is damaged: the member cannot know
   *     what it has promised
   */
  public RaftCore.Restored restored() {
    requireSound();
    EngineStatus status = engine.status();
    Membership atBase =
        engine
            .log()
            .configurationAt(status.base().index())
            .map(MembershipCodec::decode)
            .orElse(Membership.NONE);
    List<Entry> entries = new ArrayList<>();
    engine
        .log()
        .entriesAfter(
            status.base().index(),
            entry -> {
              entries.add(header(entry));
              return entry.index() < status.last().index();
            });
    return new RaftCore.Restored(
        new HardState(engine.hardState().term(), engine.hardState().vote().map(MemberId::new)),
        id(status.base()),
        atBase,
        entries,
        status.applied());
  }

  /**
   * Makes writes durable in one transaction. After an exception nothing of them is.
   *
   * @param writes in the order of their numbers
   * @param head of the manifest that a write installs
   * @param compactTo drop applied entries up to here, 0 for none
   */
  public void write(List<Ready.Write> writes, Optional<ManifestHead> head, long compactTo) {
    try (EngineBatch batch = engine.begin()) {
      for (Ready.Write write : writes) {
        if (write.install().isPresent()) {
          batch.switchTo(head.orElseThrow());
        }
        if (write.truncateFrom() > 0) {
          batch.truncateFrom(write.truncateFrom());
        }
        write.entries().forEach(entry -> append(batch, entry));
        write
            .hardState()
            .ifPresent(
                state ->
                    batch.hardState(
                        new dev.ashlar.block.engine.HardState(
                            state.term(), state.vote().map(MemberId::uuid))));
      }
      if (compactTo > 0) {
        batch.compactTo(compactTo);
      }
      batch.commit();
    }
  }

  /**
   * Reads entries (previous, last] with their contents, for a peer.
   *
   * @return empty when either end is no longer so, or a part is compacted or damaged
   */
  public Optional<List<Entry>> read(EntryId previous, EntryId last) {
    List<Entry> entries = new ArrayList<>();
    if (!isAt(previous)) {
      return Optional.empty();
    }
    try {
      engine
          .log()
          .entriesAfter(
              previous.index(),
              entry -> {
                Optional<Entry> whole =
                    entry.index() <= last.index() ? whole(entry) : Optional.empty();
                whole.ifPresent(entries::add);
                return whole.isPresent() && entry.index() < last.index();
              });
    } catch (StoreDamagedException e) {
      return Optional.empty();
    }
    boolean complete =
        !entries.isEmpty()
            && entries.size() == last.index() - previous.index()
            && entries.get(entries.size() - 1).id().equals(last);
    return complete ? Optional.of(entries) : Optional.empty();
  }

  /**
   * The first put in (previous, last] whose bytes are damaged; empty where all can be read. On the
   * writer's thread, so that nothing is compacted or cut meanwhile.
   *
   * @throws StoreDamagedException when an entry itself is damaged
   */
  public Optional<Cid> unreadable(EntryId previous, EntryId last) {
    List<Cid> found = new ArrayList<>();
    if (!isInLog(previous, last)) {
      return Optional.empty();
    }
    showPuts(
        previous,
        last,
        (entry, put) -> {
          if (whole(entry).isEmpty()) {
            found.add(Cid.v1(put.codec(), put.multihash()));
          }
          return found.isEmpty();
        });
    return found.stream().findFirst();
  }

  /** Shows the puts in (previous, last], in order, until the visitor has enough. */
  private void showPuts(
      EntryId previous, EntryId last, BiPredicate<LogEntry, Command.Put> visitor) {
    engine
        .log()
        .entriesAfter(
            previous.index(),
            entry -> {
              boolean hasEnough =
                  entry.index() <= last.index()
                      && entry.command() instanceof Command.Put put
                      && !visitor.test(entry, put);
              return !hasEnough && entry.index() < last.index();
            });
  }

  /** Writes the bytes of a block anew wherever an entry in (previous, last] brought them. */
  public boolean rewrite(EntryId previous, EntryId last, Block block) {
    if (!isInLog(previous, last)) {
      return false;
    }
    List<LogEntry> puts = new ArrayList<>();
    showPuts(
        previous,
        last,
        (entry, put) -> {
          if (put.multihash().equals(block.cid().multihash())) {
            puts.add(entry);
          }
          return true;
        });
    try (EngineBatch batch = engine.begin()) {
      puts.forEach(entry -> batch.rewrite(entry.index(), (Command.Put) entry.command(), block));
      batch.commit();
    } catch (NoSpaceException e) {
      return false;
    }
    return true;
  }

  /** The block that a manifest of this replica names, while it is held. */
  public Optional<Block> heldBlock(Cid cid) {
    return engine.manifest().read(cid.multihash(), (bytes, crc) -> copy(cid, bytes, crc));
  }

  /** A block that is live here; empty where it is not, or cannot be read. */
  public Optional<Block> liveBlock(Cid cid) {
    try {
      return engine.read(cid, (bytes, crc) -> copy(cid, bytes, crc));
    } catch (BlockDamagedException e) {
      return Optional.empty();
    }
  }

  /**
   * A live block as this replica has it.
   *
   * @param block its bytes, not verified by their hash
   * @param lastPut the index of its last put
   */
  public record Copy(Block block, long lastPut) {}

  /** A live block for another replica; empty where it is not live, or damaged. */
  public Optional<Copy> copyOf(Multihash multihash) {
    return engine
        .row(multihash)
        .flatMap(
            row ->
                liveBlock(Cid.v1(row.codec(), multihash))
                    .map(block -> new Copy(block, row.lastPut())));
  }

  /**
   * Writes a block anew that another replica had, where it is live here. Want of room is no
   * failure: the copy here stays what it was.
   *
   * @return whether it was written
   */
  public boolean mend(Block block, long lastPut) {
    try (EngineBatch batch = engine.begin()) {
      boolean live = batch.mend(block, lastPut);
      if (live) {
        batch.commit();
      }
      return live;
    } catch (NoSpaceException e) {
      return false;
    }
  }

  /**
   * Sets counters right that damage has put wrong, and gives back what nothing refers to. Want of
   * room is no failure.
   *
   * @return whether it was done
   */
  public boolean settle(Miscount miscount) {
    try (EngineBatch batch = engine.begin()) {
      boolean settled = batch.settle(miscount);
      if (settled) {
        batch.commit();
      }
      return settled;
    } catch (NoSpaceException e) {
      return false;
    }
  }

  /** Notes how far re-reading has come; false where there is no room. */
  public boolean note(ScrubPlace place) {
    try (EngineBatch batch = engine.begin()) {
      batch.scrubbed(place);
      batch.commit();
      return true;
    } catch (NoSpaceException e) {
      return false;
    }
  }

  private boolean isInLog(EntryId previous, EntryId last) {
    EngineStatus status = engine.status();
    return status.base().index() <= previous.index() && last.index() <= status.last().index();
  }

  private boolean isAt(EntryId id) {
    EngineStatus status = engine.status();
    if (id.equals(id(status.base()))) {
      return true;
    }
    return engine.log().entry(id.index()).filter(entry -> entry.term() == id.term()).isPresent();
  }

  private static void shareIfOthers(EngineBatch batch, Membership membership) {
    if (membership.members().size() > 1) {
      batch.shared();
    }
  }

  private static void append(EngineBatch batch, Entry entry) {
    long term = entry.id().term();
    if (entry.payload() instanceof Payload.NoOp) {
      batch.append(term, new Command.NoOp());
    } else if (entry.payload() instanceof Payload.Configuration configuration) {
      shareIfOthers(batch, configuration.membership());
      batch.append(
          term, new Command.Configuration(MembershipCodec.encode(configuration.membership())));
    } else {
      append(batch, term, (BlockCommand) ((Payload.Command) entry.payload()).content());
    }
    if (batch.last().index() != entry.id().index()) {
      throw new IllegalStateException(
          "entry " + entry.id() + " came to lie at " + batch.last().index());
    }
  }

  private static void append(EngineBatch batch, long term, BlockCommand command) {
    if (command instanceof BlockCommand.Put put) {
      batch.appendPut(term, put.block());
    } else if (command instanceof BlockCommand.Touch touch) {
      batch.append(term, new Command.Touch(touch.multihash()));
    } else if (command instanceof BlockCommand.Roots roots) {
      batch.append(term, new Command.Roots(roots.changes()));
    } else if (command instanceof BlockCommand.Collect collect) {
      batch.append(term, new Command.Collect(collect.garbage()));
    } else {
      batch.append(term, new Command.Delete(((BlockCommand.Delete) command).multihash()));
    }
  }

  /** An entry as the core needs it at start: sizes and configurations, no contents. */
  private static Entry header(LogEntry entry) {
    EntryId id = new EntryId(entry.index(), entry.term());
    if (entry.command() instanceof Command.Configuration configuration) {
      Membership membership = MembershipCodec.decode(configuration.payload());
      return new Entry(id, Entry.OVERHEAD_BYTES, new Payload.Configuration(membership));
    }
    int bytes = 0;
    if (entry.command() instanceof Command.Put put) {
      bytes = put.length();
    } else if (entry.command() instanceof Command.Roots roots) {
      bytes = roots.changes().bytes();
    } else if (entry.command() instanceof Command.Collect collect) {
      bytes = collect.garbage().bytes();
    }
    return new Entry(id, Entry.OVERHEAD_BYTES + bytes, new Payload.NoOp());
  }

  private Optional<Entry> whole(LogEntry entry) {
    EntryId id = new EntryId(entry.index(), entry.term());
    Command command = entry.command();
    if (command instanceof Command.Put put) {
      Cid cid = Cid.v1(put.codec(), put.multihash());
      return engine
          .log()
          .readPayload(put, (bytes, crc) -> copy(cid, bytes, crc))
          .map(block -> entry(id, new BlockCommand.Put(block)));
    }
    if (command instanceof Command.Touch touch) {
      return Optional.of(entry(id, new BlockCommand.Touch(touch.multihash())));
    }
    if (command instanceof Command.Delete delete) {
      return Optional.of(entry(id, new BlockCommand.Delete(delete.multihash())));
    }
    if (command instanceof Command.Roots roots) {
      return Optional.of(entry(id, new BlockCommand.Roots(roots.changes())));
    }
    if (command instanceof Command.Collect collect) {
      return Optional.of(entry(id, new BlockCommand.Collect(collect.garbage())));
    }
    return Optional.of(header(entry));
  }

  private static Entry entry(EntryId id, BlockCommand command) {
    return new Entry(id, command.bytes(), new Payload.Command(command));
  }

  private static Block copy(Cid cid, ByteBuffer bytes, int crc) {
    ByteBuffer copy = ByteBuffer.allocate(bytes.remaining()).put(bytes.duplicate()).flip();
    return Block.stored(cid, copy, crc);
  }

  private static EntryId id(LogPosition position) {
    return new EntryId(position.index(), position.term());
  }
}
