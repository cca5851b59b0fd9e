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

  @Option(
      names = "--ignore-missing",
      fallbackValue = "true",
      description =
          "collect although roots lead to blocks that are not there: what only those lead to is"
              + " deleted")
  private boolean ignoreMissing;

  @Override
  public Integer call() throws IOException {
    JsonObject[] end = new JsonObject[1];
    server.follow(
        "POST",
        "/gc?ignore-missing=" + ignoreMissing + (grace == null ? "" : "&grace=" + grace),
        line -> {
          end[0] = line.getBoolean("end", false) ? line : end[0];
          return shown(line);
        });
    if (end[0] == null) {
      throw new IOException("the server went away in the middle of it: run it again");
    }
    if (end[0].containsKey("error")) {
      throw new IOException(end[0].getString("error"));
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
