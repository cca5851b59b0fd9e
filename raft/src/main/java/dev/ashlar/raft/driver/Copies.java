package dev.ashlar.raft.driver;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multihash;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.replication.Replica;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Gets blocks from other members whose copy here is damaged: one member after the other is asked,
 * what comes is verified by its hash, given to whoever waits for it, and written here anew. And
 * answers those who ask.
 */
final class Copies {

  private static final int OPEN_MAX = 256;

  /** Election timeouts until the others are asked again for what none of them had. */
  private static final int SECOND_ASKING_TIMEOUTS = 4;

  private final DriverOptions options;
  private final Storage storage;
  private final Transport transport;
  private final Supplier<List<MemberId>> others;
  private final Consumer<Throwable> storageFailed;
  private final BiConsumer<Cid, Boolean> unknownToOthers;
  private final Map<Multihash, Wanted> wanted = new HashMap<>();
  private final Map<Cid, Long> unknown = new HashMap<>();
  private long nextId;
  private long now;
  private long mended;

  /**
   * @param firstId ids of requests ascend from here
   * @param others whom to ask
   * @param storageFailed told of a disk that failed, other than for want of room
   * @param unknownToOthers told of what everybody who answers has said twice, some time apart, that
   *     they have not; and whether that is all others
   */
  Copies(
      DriverOptions options,
      Storage storage,
      Transport transport,
      long firstId,
      Supplier<List<MemberId>> others,
      Consumer<Throwable> storageFailed,
      BiConsumer<Cid, Boolean> unknownToOthers) {
    this.options = options;
    this.storage = storage;
    this.transport = transport;
    this.nextId = firstId;
    this.others = others;
    this.storageFailed = storageFailed;
    this.unknownToOthers = unknownToOthers;
  }

  /** One block that is asked for. */
  private static final class Wanted {
    private final Cid cid;
    private final List<Consumer<Optional<Block>>> waiting = new ArrayList<>();
    private int turn;
    private int refusals;
    private long id;
    private long askedTick;
    private @Nullable MemberId asked;

    Wanted(Cid cid) {
      this.cid = cid;
    }
  }

  /** How many blocks have been mended since the start. */
  long mended() {
    return mended;
  }

  /**
   * Gets a block from any other member, and mends the copy here.
   *
   * @param done is given the block, empty when nobody has it
   */
  void get(Cid cid, Consumer<Optional<Block>> done) {
    Wanted before = wanted.get(cid.multihash());
    if (before != null) {
      before.waiting.add(done);
      return;
    }
    if (wanted.size() >= OPEN_MAX) {
      done.accept(Optional.empty());
      return;
    }
    Wanted one = new Wanted(cid);
    one.waiting.add(done);
    wanted.put(cid.multihash(), one);
    ask(one);
  }

  void tick(long tick) {
    now = tick;
    for (Wanted one : List.copyOf(wanted.values())) {
      if (now - one.askedTick > 2L * options.core().electionTicksMax()) {
        ask(one);
      }
    }
    for (Map.Entry<Cid, Long> each : List.copyOf(unknown.entrySet())) {
      if (isSecondDue(each.getValue())) {
        get(each.getKey(), block -> {});
      }
    }
  }

  /** Another member asks for a block of this replica. */
  void request(MemberId from, PeerMessage.CopyRequest request) {
    storage.run(
        Storage.Work.READ,
        replica -> read(replica, request),
        copy -> transport.send(from, copy),
        failure -> {});
  }

  /** Another member answers. */
  void answer(MemberId from, PeerMessage.Copy copy) {
    Optional<Wanted> asked =
        wanted.values().stream()
            .filter(one -> one.id == copy.id() && from.equals(one.asked))
            .findFirst();
    if (asked.isEmpty()) {
      return;
    }
    Wanted one = asked.get();
    if (copy.block().isEmpty()) {
      one.refusals++;
      ask(one);
      return;
    }
    Block block = copy.block().get();
    storage.run(
        Storage.Work.READ,
        replica -> verified(one.cid, block),
        sound -> {
          if (sound.isPresent()) {
            mend(sound.get(), copy.lastPut());
            end(one, sound);
          } else if (one.id == copy.id()) {
            ask(one);
          }
        },
        failure -> {
          unknown.remove(one.cid);
          end(one, Optional.empty());
        });
  }

  /** Nobody answers any more. */
  void stop() {
    List.copyOf(wanted.values()).forEach(one -> end(one, Optional.empty()));
  }

  private void ask(Wanted one) {
    List<MemberId> members = others.get();
    while (one.turn < members.size()) {
      MemberId member = members.get(one.turn++);
      one.id = nextId++;
      one.askedTick = now;
      one.asked = member;
      if (transport.send(member, new PeerMessage.CopyRequest(one.id, one.cid.multihash()))) {
        return;
      }
    }
    noteUnknown(one, members.size());
    end(one, Optional.empty());
  }

  /** Once can be a block that was just deleted, or that has not come to them yet. */
  private void noteUnknown(Wanted one, int members) {
    Long before = unknown.remove(one.cid);
    if (one.refusals == 0) {
      return;
    }
    if (before != null && isSecondDue(before)) {
      unknownToOthers.accept(one.cid, one.refusals == members);
    } else if (unknown.size() < OPEN_MAX) {
      unknown.put(one.cid, before == null ? now : before);
    }
  }

  private boolean isSecondDue(long firstTick) {
    return now - firstTick >= (long) SECOND_ASKING_TIMEOUTS * options.core().electionTicksMax();
  }

  private void mend(Block block, long lastPut) {
    storage.run(
        Storage.Work.WRITE,
        replica -> replica.mend(block, lastPut),
        done -> mended += done ? 1 : 0,
        storageFailed);
  }

  private void end(Wanted one, Optional<Block> block) {
    if (block.isPresent()) {
      unknown.remove(one.cid);
    }
    if (wanted.remove(one.cid.multihash(), one)) {
      one.waiting.forEach(done -> done.accept(block));
    }
  }

  private static PeerMessage read(Replica replica, PeerMessage.CopyRequest request) {
    return replica
        .copyOf(request.multihash())
        .<PeerMessage>map(
            copy -> new PeerMessage.Copy(request.id(), Optional.of(copy.block()), copy.lastPut()))
        .orElseGet(() -> new PeerMessage.Copy(request.id(), Optional.empty(), 0));
  }

  /** The block that was asked for, whatever the answer calls it; empty where it is another. */
  private static Optional<Block> verified(Cid cid, Block block) {
    try {
      return Optional.of(
          Block.verified(Cid.v1(block.cid().codec(), cid.multihash()), block.bytes()));
    } catch (BlockException e) {
      return Optional.empty();
    }
  }
}
