package dev.ashlar.server;

import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ashlar gc}: deletes what nothing leads to. */
@Command(
    name = "gc",
    description = {
      "Delete the blocks of a running server that no pin and no reference leads to. Others go on"
          + " writing meanwhile.",
      "Blocks that were put less than the grace ago stay, whatever leads to them."
    })
final class GcCommand implements Callable<Integer> {

  @Mixin private ServerCommand server = new ServerCommand();

  @Option(
      names = "--grace-seconds",
      paramLabel = "SECONDS",
      description = "blocks younger than this stay; 0 to 86400 (default: the server's, an hour)")
  private @Nullable Integer grace;

  @Override
  public Integer call() throws IOException {
    boolean[] ended = new boolean[1];
    server.follow(
        "POST",
        grace == null ? "/gc" : "/gc?grace=" + grace,
        line -> {
          ended[0] |= line.getBoolean("end", false);
          return shown(line);
        });
    if (!ended[0]) {
      throw new IOException("the collection ended early: see the server's log, and run it again");
    }
    return 0;
  }

  private static String shown(JsonObject line) {
    if (line.containsKey("deleted")) {
      return "deleted " + line.getString("deleted");
    }
    if (!line.containsKey("result")) {
      return "";
    }
    JsonObject result = line.getJsonObject("result");
    return "deleted "
        + result.getLong("deleted")
        + " of "
        + result.getLong("looked")
        + " blocks; roots lead to "
        + result.getLong("marked")
        + ", of which "
        + result.getLong("missing")
        + " are not there";
  }
}
