package dev.ashlar.server;

import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.BlockStore;
import io.vertx.core.json.JsonObject;
import java.util.Optional;
import picocli.CommandLine.Command;

@Command(name = "ls", description = "List all blocks with their sizes, in the order of hashes.")
final class LsCommand extends StoreCommand {

  private static final int PAGE = 1000;

  @Override
  int run(BlockStore store) {
    Optional<BlockCursor> cursor = Optional.of(BlockCursor.START);
    while (cursor.isPresent() && !out().checkError()) {
      BlockPage page = store.list(cursor.get(), PAGE);
      for (BlockPage.Entry entry : page.entries()) {
        print(
            new JsonObject().put("cid", entry.cid().toString()).put("size", entry.size()),
            entry.cid() + " " + entry.size());
      }
      cursor = page.next();
    }
    return 0;
  }
}
