package dev.ashlar.store.lmdb;

import dev.ashlar.block.BlockStore;
import dev.ashlar.block.BlockStoreContract;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

class LmdbBlockStoreTest extends BlockStoreContract {

  @TempDir Path directory;

  @Override
  protected BlockStore openEmpty(int blockBytesMax) {
    LmdbOptions options = LmdbOptions.DEFAULT;
    return LmdbBlockStore.open(
        directory, options.withLimits(options.limits().withBlockBytesMax(blockBytesMax)));
  }
}
