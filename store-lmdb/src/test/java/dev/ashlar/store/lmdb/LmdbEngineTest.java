package dev.ashlar.store.lmdb;

import dev.ashlar.block.engine.Environment;
import dev.ashlar.block.engine.StorageEngineContract;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

class LmdbEngineTest extends StorageEngineContract {

  @TempDir Path directory;
  private int opened;

  @Override
  protected Environment openEmpty() throws Exception {
    return LmdbEnvironment.open(
        Files.createDirectory(directory.resolve("env" + ++opened)), LmdbOptions.DEFAULT);
  }

  /** A copy of the files while the environment is open is what a kill would leave. */
  @Override
  protected Environment reopenAfterCrash(Environment crashed) throws Exception {
    Path from = directory.resolve("env" + opened);
    Path to = Files.createDirectory(directory.resolve("env" + ++opened));
    Files.copy(from.resolve("data.mdb"), to.resolve("data.mdb"));
    crashed.close();
    return LmdbEnvironment.open(to, LmdbOptions.DEFAULT);
  }
}
