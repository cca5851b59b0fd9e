package dev.ashlar.server;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "get", description = "Write a block's bytes, verified, to standard output.")
final class GetCommand extends StoreCommand {

  @Parameters(paramLabel = "CID", description = "version 0 or 1")
  private String cid = "";

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "write to this file instead")
  private @Nullable Path output;

  @Override
  int run(BlockStore store) throws IOException {
    Cid wanted = cid(cid);
    Optional<Block> block = store.get(wanted);
    if (block.isEmpty()) {
      return absent(wanted);
    }
    byte[] bytes = Block.verified(wanted, block.get().bytes()).toByteArray();
    if (output != null) {
      Files.write(output, bytes);
    } else {
      try (OutputStream out = standardOutput()) {
        out.write(bytes);
      }
    }
    return 0;
  }
}
