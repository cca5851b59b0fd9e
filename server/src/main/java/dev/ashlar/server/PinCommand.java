package dev.ashlar.server;

import static dev.ashlar.server.client.ServerClient.encoded;

import io.vertx.core.json.JsonObject;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ashlar pin}: what is to be kept. */
@Command(
    name = "pin",
    description = "Keep blocks from being collected: add, rm and ls pins of a running server.")
final class PinCommand {

  private static String shown(JsonObject pin) {
    return pin.getString("cid") + " " + pin.getString("mode") + " " + pin.getString("name");
  }

  @Command(name = "add", description = "Pin a CID and all that it leads to; says what is missing.")
  int add(
      @Mixin ServerCommand server,
      @Parameters(paramLabel = "CID", description = "version 0 or 1") String cid,
      @Option(names = "--name", paramLabel = "NAME", description = "what the pin is called")
          String name,
      @Option(names = "--direct", description = "the block alone, not what it leads to")
          boolean direct)
      throws IOException {
    String query =
        "?mode="
            + (direct ? "direct" : "recursive")
            + "&name="
            + (name == null ? "" : encoded(name));
    JsonObject pin = server.server().sendAndWait("PUT", "/pins/" + StoreCommand.cid(cid) + query);
    int missing = pin.getInteger("missingCount");
    server.print(
        pin,
        "pinned "
            + shown(pin).strip()
            + (missing == 0
                ? ""
                : ": "
                    + missing
                    + " blocks that it leads to are not there, such as "
                    + pin.getJsonArray("missing").getString(0)));
    return missing == 0 ? 0 : Main.EXIT_ABSENT;
  }

  @Command(name = "rm", description = "Remove a pin; its blocks stay until they are collected.")
  int remove(
      @Mixin ServerCommand server,
      @Parameters(paramLabel = "CID", description = "version 0 or 1") String cid)
      throws IOException {
    JsonObject answer = server.server().send("DELETE", "/pins/" + StoreCommand.cid(cid));
    boolean removed = answer.getBoolean("removed");
    server.print(answer, removed ? "unpinned " + cid : cid + " was not pinned");
    return removed ? 0 : Main.EXIT_ABSENT;
  }

  @Command(name = "ls", description = "List pins: CID, mode, name.")
  int list(@Mixin ServerCommand server) throws IOException {
    return server.list("/pins", PinCommand::shown);
  }
}
