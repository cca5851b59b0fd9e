package dev.ashlar.server;

import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.OptionalInt;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "has", description = "Say whether blocks are there; exit status 3 when one is not.")
final class HasCommand extends StoreCommand {

  @Parameters(paramLabel = "CID", arity = "1..*", description = "version 0 or 1")
  private List<String> cids = List.of();

  @Override
  int run(BlockStore store) {
    int status = 0;
    for (String text : cids) {
      Cid cid = cid(text);
      OptionalInt size = store.size(cid);
      JsonObject json = new JsonObject().put("cid", cid.toString()).put("has", size.isPresent());
      size.ifPresent(bytes -> json.put("size", bytes));
      print(json, cid + (size.isPresent() ? " " + size.getAsInt() : " absent"));
      status = size.isPresent() ? status : Main.EXIT_ABSENT;
    }
    return status;
  }
}
