package dev.ashlar.server;

import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import io.vertx.core.json.JsonObject;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "rm", description = "Delete blocks; exit status 3 when one was not there.")
final class RmCommand extends StoreCommand {

  @Parameters(paramLabel = "CID", arity = "1..*", description = "version 0 or 1")
  private List<String> cids = List.of();

  @Override
  int run(BlockStore store) {
    int status = 0;
    for (String text : cids) {
      Cid cid = cid(text);
      boolean deleted = store.delete(cid);
      print(
          new JsonObject().put("cid", cid.toString()).put("deleted", deleted),
          (deleted ? "deleted " : "absent ") + cid);
      status = deleted ? status : Main.EXIT_ABSENT;
    }
    return status;
  }
}
