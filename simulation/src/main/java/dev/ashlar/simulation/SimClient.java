package dev.ashlar.simulation;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockDamagedException;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.engine.Outcome;
import dev.ashlar.block.history.BlockHistory;
import dev.ashlar.block.root.GarbageBatch;
import dev.ashlar.block.root.RootChange;
import dev.ashlar.block.root.RootChanges;
import dev.ashlar.block.root.RootKey;
import dev.ashlar.block.root.RootRecord;
import dev.ashlar.raft.replication.BlockClient;
import dev.ashlar.raft.replication.BlockCommand;
import dev.ashlar.raft.replication.WriteResult;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Asks any node for puts, deletes, reads and listings, one after the other, and notes the answers.
 */
final class SimClient {

  private static final int THINK_MICROS_MAX = 40_000;
  private static final int GIVE_UP_MICROS_MAX = 4_000_000;
  private static final int NAMES = 3;
  private static final int LOOSE = 4;

  private final World world;
  private final List<SimNode> nodes;
  private final List<Block> blocks;
  private final BlockHistory history;
  private final int givesUpMicros;
  private final Optional<SimNode> favourite;
  private boolean running = true;
  private boolean wantsLeader;
  private int answered;
  private int written;

  SimClient(World world, List<SimNode> nodes, List<Block> blocks, BlockHistory history) {
    this.world = world;
    this.nodes = nodes;
    this.blocks = blocks;
    this.history = history;
    this.givesUpMicros = world.between(300_000, GIVE_UP_MICROS_MAX);
    // Some ask one node as long as they can: they see what a node shows that is cut off.
    this.favourite = world.chance(0.4) ? Optional.of(anyNode()) : Optional.empty();
  }

  void start() {
    think();
  }

  void stop() {
    running = false;
  }

  /** From now on it asks nodes that have a leader, as one does that looks at a node's readiness. */
  void askReadyNodes() {
    wantsLeader = true;
  }

  boolean isRunning() {
    return running;
  }

  /** How many requests have ended with an answer that is not "unknown" or "not done". */
  int answered() {
    return answered;
  }

  /** How many writes were done. */
  int written() {
    return written;
  }

  private void think() {
    world.after(world.between(0, THINK_MICROS_MAX), this::ask);
  }

  private void ask() {
    if (!running) {
      return;
    }
    SimNode node = favourite.filter(each -> each.isUp() && !wantsLeader).orElseGet(this::anyNode);
    boolean usable = node.isUp() && (!wantsLeader || node.driver().core().leader().isPresent());
    if (!usable) {
      think();
      return;
    }
    int choice = world.between(0, 12);
    if (choice < 4) {
      put(node);
    } else if (choice < 6) {
      delete(node);
    } else if (choice < 9) {
      read(node);
    } else if (choice < 10) {
      list(node);
    } else if (choice < 12) {
      changeRoots(node);
    } else {
      collect(node);
    }
  }

  /** Sets, moves or removes names, each if it was last changed where this client has seen it. */
  private void changeRoots(SimNode node) {
    List<RootChange> changes = new ArrayList<>();
    Call call = new Call(node, List.of());
    int names = world.between(1, 2);
    for (int i = 0; i < names; i++) {
      RootKey key = RootKey.reference("name-" + i + "-" + world.between(0, NAMES));
      long seen = lastChange(node, key);
      long expected = world.chance(0.2) ? RootChange.ANY : seen;
      byte[] value = blocks.get(anyBlock()).cid().toBytes();
      changes.add(
          world.chance(0.3)
              ? RootChange.remove(key, expected)
              : RootChange.set(key, expected, value));
    }
    node.whenRunning(
        node.life(),
        () ->
            node.driver()
                .write(
                    new BlockCommand.Roots(new RootChanges(changes)),
                    result -> call.written(result, Outcome.CHANGED)));
  }

  /** When a name was changed last; of one whose record has rotted nothing can be said. */
  private static long lastChange(SimNode node, RootKey key) {
    try {
      return node.engine().root(key).map(RootRecord::changedAt).orElse(RootChange.ABSENT);
    } catch (StoreDamagedException e) {
      return RootChange.ANY;
    }
  }

  /** Puts blocks that no history is kept of, or proposes that they are garbage. */
  private void collect(SimNode node) {
    List<Block> loose = new ArrayList<>();
    for (int i = 0; i < LOOSE; i++) {
      loose.add(Block.copyOf(new byte[] {(byte) i, 'l', 'o', 'o', 's', 'e'}));
    }
    Call call = new Call(node, List.of());
    BlockCommand command;
    if (world.chance(0.5)) {
      command = new BlockCommand.Put(loose.get(world.between(0, LOOSE - 1)));
    } else {
      long applied = node.engine().status().applied();
      long marked = Math.max(0, applied - world.between(0, 20));
      long grace = Math.max(0, marked - world.between(0, 20));
      command =
          new BlockCommand.Collect(
              new GarbageBatch(
                  marked, grace, loose.stream().map(block -> block.cid().multihash()).toList()));
    }
    node.whenRunning(
        node.life(),
        () -> node.driver().write(command, result -> call.written(result, Outcome.COLLECTED)));
  }

  private void put(SimNode node) {
    int number = anyBlock();
    Block block = blocks.get(number);
    Call call = new Call(node, List.of(history.begin(number, BlockHistory.Kind.PUT)));
    node.whenRunning(
        node.life(),
        () ->
            new BlockClient(node.driver()::write)
                .put(
                    block,
                    node.engine().row(block.cid().multihash()).isPresent(),
                    result -> call.written(result, Outcome.CREATED)));
  }

  private void delete(SimNode node) {
    int number = anyBlock();
    Call call = new Call(node, List.of(history.begin(number, BlockHistory.Kind.DELETE)));
    node.whenRunning(
        node.life(),
        () ->
            new BlockClient(node.driver()::write)
                .delete(
                    blocks.get(number).cid().multihash(),
                    result -> call.written(result, Outcome.DELETED)));
  }

  private void read(SimNode node) {
    int number = anyBlock();
    Block block = blocks.get(number);
    Call call = new Call(node, List.of(history.begin(number, BlockHistory.Kind.READ)));
    node.whenRunning(
        node.life(),
        () ->
            node.driver()
                .read(
                    confirmed -> {
                      if (!confirmed) {
                        call.end(i -> BlockHistory.End.UNKNOWN);
                        return;
                      }
                      try {
                        Optional<ByteBuffer> found =
                            node.engine().read(block.cid(), (bytes, crc) -> bytes);
                        isRead(call, block, found);
                      } catch (BlockDamagedException e) {
                        node.driver().copy(block.cid(), copy -> isMended(call, block, copy));
                      }
                    }));
  }

  private static void isRead(Call call, Block block, Optional<ByteBuffer> found) {
    if (found.isPresent() && !found.get().equals(block.bytes())) {
      throw new Violation("BytesAreTheBlocks", "of " + block.cid());
    }
    call.end(i -> found.isPresent() ? BlockHistory.End.PRESENT : BlockHistory.End.ABSENT);
  }

  /** A damaged copy is live; what nobody else has is an error, not an answer. */
  private static void isMended(Call call, Block block, Optional<Block> copy) {
    if (copy.isPresent()) {
      isRead(call, block, copy.map(Block::bytes));
    } else {
      call.end(i -> BlockHistory.End.UNKNOWN);
    }
  }

  /** One page with everything: a read of every block at once. */
  private void list(SimNode node) {
    List<BlockHistory.Operation> operations = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      operations.add(history.begin(i, BlockHistory.Kind.READ));
    }
    Call call = new Call(node, operations);
    node.whenRunning(
        node.life(),
        () ->
            node.driver()
                .read(
                    confirmed -> {
                      if (!confirmed) {
                        call.end(i -> BlockHistory.End.UNKNOWN);
                        return;
                      }
                      Set<Object> found = new HashSet<>();
                      BlockPage page = node.engine().list(BlockCursor.START, 10_000);
                      page.entries().forEach(entry -> found.add(entry.cid().multihash()));
                      call.end(
                          i ->
                              found.contains(blocks.get(i).cid().multihash())
                                  ? BlockHistory.End.PRESENT
                                  : BlockHistory.End.ABSENT);
                    }));
  }

  private SimNode anyNode() {
    return nodes.get(world.between(0, nodes.size() - 1));
  }

  private int anyBlock() {
    return world.between(0, blocks.size() - 1);
  }

  private interface EndOf {
    BlockHistory.End of(int operation);
  }

  /** One request under way. A client that waits too long, or loses its node, does not know. */
  private final class Call {

    private final List<BlockHistory.Operation> operations;
    private boolean open = true;

    Call(SimNode node, List<BlockHistory.Operation> operations) {
      this.operations = operations;
      int life = node.life();
      watch(node, life, world.nowMicros() + givesUpMicros);
    }

    void written(WriteResult result, Outcome changed) {
      if (result instanceof WriteResult.Done done) {
        written++;
        end(i -> done.outcome() == changed ? BlockHistory.End.CHANGED : BlockHistory.End.UNCHANGED);
      } else {
        boolean certain = result instanceof WriteResult.NotDone;
        end(i -> certain ? BlockHistory.End.NOT_DONE : BlockHistory.End.UNKNOWN);
      }
    }

    void end(EndOf how) {
      if (!open) {
        return;
      }
      open = false;
      for (int i = 0; i < operations.size(); i++) {
        BlockHistory.End end = how.of(i);
        if (end != BlockHistory.End.UNKNOWN) {
          history.end(operations.get(i), end);
        }
        if (end != BlockHistory.End.UNKNOWN && end != BlockHistory.End.NOT_DONE) {
          answered++;
        }
      }
      world.note("client: " + (operations.size() == 1 ? operations.get(0) : "other"));
      think();
    }

    private void watch(SimNode node, int life, long until) {
      if (!open) {
        return;
      }
      if (node.life() != life || world.nowMicros() >= until) {
        end(i -> BlockHistory.End.UNKNOWN);
      } else {
        world.after(100_000, () -> watch(node, life, until));
      }
    }
  }
}
