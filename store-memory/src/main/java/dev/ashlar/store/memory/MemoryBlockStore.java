package dev.ashlar.store.memory;

import dev.ashlar.block.engine.EngineBlockStore;
import dev.ashlar.block.engine.EngineOptions;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.block.engine.StoreLimits;

/**
 * A block store in memory, gone with its process. The same engine as on disk, so what is tested
 * with it holds there.
 */
public final class MemoryBlockStore extends EngineBlockStore {

  private MemoryBlockStore(StorageEngine engine, StoreLimits limits) {
    super(engine, limits);
  }

  /** An empty store that takes up to half of the heap that the JVM may use. */
  public static MemoryBlockStore open() {
    return open(
        Runtime.getRuntime().maxMemory() / 2, StoreLimits.DEFAULT.withReserveBytes(1 << 20));
  }

  /**
   * An empty store.
   *
   * @param capacityBytes how many bytes its blocks and their index may take together
   */
  public static MemoryBlockStore open(long capacityBytes, StoreLimits limits) {
    MemoryEnvironment environment = new MemoryEnvironment(capacityBytes);
    return new MemoryBlockStore(StorageEngine.open(environment, EngineOptions.DEFAULT), limits);
  }
}
