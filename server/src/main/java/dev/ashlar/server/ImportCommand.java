package dev.ashlar.server;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.PutBatch;
import dev.ashlar.block.car.CarException;
import dev.ashlar.block.car.CarLimits;
import dev.ashlar.block.car.CarReader;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
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

  @Parameters(paramLabel = "CAR", description = "the file, or - for standard input")
  private String file = "-";

  @Override
  int run(BlockStore store) throws IOException {
    PutBatch batch = new PutBatch(store);
    long size = file.equals("-") ? -1 : Files.size(Path.of(file));
    InputStream in = file.equals("-") ? System.in : Files.newInputStream(Path.of(file));
    try (CarReader reader = CarReader.open(in, CarLimits.blocksOf(store.blockBytesMax()));
        ProgressBar progress = progress("import", size)) {
      readAll(batch, reader, progress);
      report(reader, batch);
      return 0;
    } catch (CarException e) {
      err().println("ashlar: " + e.getMessage());
      err().println("ashlar: " + batch.blocks() + " blocks before it are stored");
      err().flush();
      return Main.EXIT_FAILED;
    }
  }

  private static void readAll(PutBatch batch, CarReader reader, ProgressBar progress)
      throws IOException {
    try {
      for (Optional<Block> next = reader.next(); next.isPresent(); next = reader.next()) {
        if (batch.add(next.get())) {
          progress.stepTo(reader.offset());
        }
      }
    } finally {
      batch.flush();
    }
  }

  private void report(CarReader reader, PutBatch batch) {
    JsonArray roots = new JsonArray();
    reader.roots().forEach(root -> roots.add(root.toString()));
    print(
        new JsonObject()
            .put("blocks", batch.blocks())
            .put("bytes", batch.bytes())
            .put("new", batch.created())
            .put("roots", roots),
        "imported "
            + batch.blocks()
            + " blocks, "
            + batch.created()
            + " of them new, "
            + batch.bytes()
            + " bytes");
    reader
        .roots()
        .forEach(root -> print(new JsonObject().put("root", root.toString()), "root " + root));
  }
}
