package dev.ashlar.store.memory;

import dev.ashlar.block.engine.Environment;
import dev.ashlar.block.engine.StorageEngineContract;

class MemoryEngineTest extends StorageEngineContract {

  @Override
  protected Environment openEmpty() {
    return new MemoryEnvironment(1 << 30);
  }

  /** What a crash leaves is the last commit, which is what the environment has. */
  @Override
  protected Environment reopenAfterCrash(Environment crashed) {
    return crashed;
  }
}
