package dev.ashlar.server;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockAssembler;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.BlockTooLargeException;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.PutResult;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "put", description = "Store a file as one block and print its CID.")
final class PutCommand extends StoreCommand {

  @Parameters(paramLabel = "FILE", description = "the file, or - for standard input")
  private String file = "-";

  @Option(
      names = "--codec",
      defaultValue = "raw",
      description = "multicodec name or number (default: ${DEFAULT-VALUE})")
  private String codec = "raw";

  @Option(
      names = "--hash",
      defaultValue = "sha2-256",
      description = "hash function (default: ${DEFAULT-VALUE})")
  private String hash = "sha2-256";

  @Override
  int run(BlockStore store) throws IOException {
    int blockBytesMax = store.blockBytesMax();
    BlockAssembler assembler =
        BlockAssembler.of(Multicodec.parse(codec), HashFunction.parse(hash), -1, blockBytesMax);
    try (InputStream in = file.equals("-") ? System.in : Files.newInputStream(Path.of(file))) {
      byte[] part = new byte[64 << 10];
      for (int count = in.read(part); count >= 0; count = in.read(part)) {
        assembler.add(ByteBuffer.wrap(part, 0, count));
      }
    } catch (BlockTooLargeException e) {
      err()
          .println(
              "ashlar: "
                  + file
                  + " is larger than a block ("
                  + blockBytesMax
                  + " bytes). Pack it into a CAR file, which holds it as a DAG of blocks - 'npx ipfs-car"
                  + " pack' or 'ipfs add' and 'ipfs dag export' do that - and run 'ashlar import'.");
      err().flush();
      return Main.EXIT_FAILED;
    }
    Block block = assembler.finish();
    PutResult result = store.put(block);
    print(
        new JsonObject()
            .put("cid", result.cid().toString())
            .put("size", result.size())
            .put("new", result.isNew()),
        result.cid().toString());
    return 0;
  }
}
