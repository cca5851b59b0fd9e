package dev.ashlar.server;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.PutResult;
import dev.ashlar.block.car.CarException;
import dev.ashlar.block.car.CarLimits;
import dev.ashlar.block.car.CarReader;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "import",
    description = {
      "Store the blocks of a CAR file, version 1 or 2, each one verified.",
      "A file that is wrong somewhere ends the import there with its offset; the blocks before are"
          + " stored, and importing again is right."
    })
final class ImportCommand extends StoreCommand {

  private static final int BATCH_BLOCKS = 256;
  private static final int BATCH_BYTES = 4 << 20;

  @Parameters(paramLabel = "CAR", description = "the file, or - for standard input")
  private String file = "-";

  private long blocks;
  private long bytes;
  private long created;

  @Override
  int run(BlockStore store) throws IOException {
    long size = file.equals("-") ? -1 : Files.size(Path.of(file));
    InputStream in = file.equals("-") ? System.in : Files.newInputStream(Path.of(file));
    try (CarReader reader = CarReader.open(in, CarLimits.blocksOf(store.blockBytesMax()));
        ProgressBar progress = progress("import", size)) {
      readAll(store, reader, progress);
      report(reader);
      return 0;
    } catch (CarException e) {
      err().println("ashlar: " + e.getMessage());
      err().println("ashlar: " + blocks + " blocks before it are stored");
      err().flush();
      return Main.EXIT_FAILED;
    }
  }

  private void readAll(BlockStore store, CarReader reader, ProgressBar progress)
      throws IOException {
    List<Block> batch = new ArrayList<>();
    long batchBytes = 0;
    try {
      for (Optional<Block> next = reader.next(); next.isPresent(); next = reader.next()) {
        batch.add(next.get());
        batchBytes += next.get().size();
        if (batch.size() == BATCH_BLOCKS || batchBytes >= BATCH_BYTES) {
          put(store, batch);
          batchBytes = 0;
          progress.stepTo(reader.offset());
        }
      }
    } finally {
      put(store, batch);
    }
  }

  private void put(BlockStore store, List<Block> batch) {
    for (PutResult result : store.putAll(batch)) {
      blocks++;
      bytes += result.size();
      created += result.isNew() ? 1 : 0;
    }
    batch.clear();
  }

  private void report(CarReader reader) {
    JsonArray roots = new JsonArray();
    reader.roots().forEach(root -> roots.add(root.toString()));
    print(
        new JsonObject()
            .put("blocks", blocks)
            .put("bytes", bytes)
            .put("new", created)
            .put("roots", roots),
        "imported " + blocks + " blocks, " + created + " of them new, " + bytes + " bytes");
    reader
        .roots()
        .forEach(root -> print(new JsonObject().put("root", root.toString()), "root " + root));
  }
}
