package dev.ashlar.server.chaos;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.StoreFailedException;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.server.client.DirectoryTree;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import dev.ashlar.store.lmdb.LmdbOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A script of puts and deletes on a store, run once for every call that it makes on its storage,
 * with that call failing. The process has to have the shim loaded.
 */
final class FaultyCalls {

  private static final int BLOCKS = 12;

  private final Path directory;
  private final Shim.Control shim;
  private final Set<Block> there = new HashSet<>();
  private final Set<Block> open = new HashSet<>();
  private final Set<Block> gone = new HashSet<>();
  private Shim.Control.Failure failing = Shim.Control.Failure.EIO;

  private FaultyCalls(Path directory, Shim.Control shim) {
    this.directory = directory;
    this.shim = shim;
  }

  /**
   * Ends with status 0 when no call that failed cost anything that was acknowledged.
   *
   * @param arguments the library, the control file, and the directory for stores
   */
  public static void main(String[] arguments) throws IOException {
    Path home = Path.of(arguments[2]);
    Shim.Control shim = Shim.loaded(Path.of(arguments[0])).control(Path.of(arguments[1]), home);
    long calls = new FaultyCalls(home.resolve("none"), shim).script();
    if (calls < 50) {
      throw new IllegalStateException("only " + calls + " calls were seen: is the shim loaded?");
    }
    for (Shim.Control.Failure failure : Shim.Control.Failure.values()) {
      Map<Ending, Integer> endings = new EnumMap<>(Ending.class);
      for (long call = 1; call <= calls; call++) {
        Path store = home.resolve(failure + "-" + call);
        try {
          endings.merge(new FaultyCalls(store, shim).tryOut(call, failure), 1, Integer::sum);
        } catch (RuntimeException e) {
          throw new IllegalStateException(failure + " at call " + call + " of " + calls, e);
        }
        DirectoryTree.delete(store);
      }
      System.out.println(failure + " at each of " + calls + " calls: " + endings);
    }
  }

  /** How a run went on, once its call had failed. */
  private enum Ending {
    /** The script ended as if nothing were. */
    UNNOTICED,
    /** Something was refused, and the store opened again as it was. */
    TOLD,
    /** It was refused, and the store was opened again only by force. */
    MARKED
  }

  private Ending tryOut(long call, Shim.Control.Failure failure) throws IOException {
    long failedBefore = shim.failed();
    failing = failure;
    shim.fail(call, failure);
    boolean told = false;
    try {
      script();
    } catch (BlockException e) {
      told = true;
    }
    shim.failNone();
    boolean reached = shim.failed() > failedBefore;
    if (told && !reached) {
      throw new IllegalStateException("refused without a reason");
    }
    boolean marked = false;
    LmdbBlockStore store;
    try {
      store = LmdbBlockStore.open(directory);
    } catch (StoreDamagedException e) {
      marked = true;
      store = LmdbBlockStore.open(directory, LmdbOptions.DEFAULT.acceptingSuspect());
    }
    try {
      check(store);
    } finally {
      store.close();
    }
    return marked ? Ending.MARKED : told ? Ending.TOLD : Ending.UNNOTICED;
  }

  private void check(LmdbBlockStore store) {
    if (!store.verify(bytes -> {}).isSound()) {
      throw new IllegalStateException("unsound: " + store.verify(bytes -> {}).findings());
    }
    for (Block block : there) {
      if (!open.contains(block) && store.get(block.cid()).isEmpty()) {
        throw new IllegalStateException(block.cid() + " was acknowledged and is lost");
      }
    }
    for (Block block : gone) {
      if (!open.contains(block) && store.has(block.cid())) {
        throw new IllegalStateException(block.cid() + " was deleted and is there");
      }
    }
  }

  /**
   * Opens a store, writes to it, and closes it.
   *
   * @return how many calls that took
   * @throws BlockException the first error; what was acknowledged and what is open is noted
   */
  private long script() throws IOException {
    long before = shim.calls();
    Files.createDirectories(directory);
    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      List<BlockException> errors = new ArrayList<>();
      for (int i = 0; i < BLOCKS; i++) {
        Block block = TestBlocks.numbered(i, i % 3 == 0 ? 200_000 : 100);
        attempt(errors, block, () -> store.put(block), there, gone);
        if (i % 4 == 3) {
          Block earlier = TestBlocks.numbered(i - 1, (i - 1) % 3 == 0 ? 200_000 : 100);
          attempt(errors, earlier, () -> store.delete(earlier.cid()), gone, there);
        }
      }
      store.engine().freeze();
      if (!errors.isEmpty()) {
        throw errors.get(0);
      }
    }
    return shim.calls() - before;
  }

  /** What failed is open; what is acknowledged after a call failed within it is a lie. */
  private void attempt(
      List<BlockException> errors, Block block, Runnable what, Set<Block> done, Set<Block> undone) {
    long failedBefore = shim.failed();
    try {
      what.run();
      // A transaction that found no room may have been tried again, with success.
      if (shim.failed() > failedBefore && failing != Shim.Control.Failure.ENOSPC) {
        throw new IllegalStateException("acknowledged although a call failed meanwhile");
      }
      done.add(block);
      undone.remove(block);
      open.remove(block);
    } catch (NoSpaceException e) {
      // It was not done: what was before still is.
      errors.add(e);
    } catch (StoreFailedException e) {
      open.add(block);
      errors.add(e);
    }
  }
}
