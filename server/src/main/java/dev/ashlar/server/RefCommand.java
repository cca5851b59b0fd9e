package dev.ashlar.server;

import static dev.ashlar.server.client.ServerClient.encoded;

import io.vertx.core.json.JsonObject;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ashlar ref}: names for CIDs. */
@Command(
    name = "ref",
    description =
        "Names that lead to CIDs and keep them: set, get, rm and ls references of a running"
            + " server.")
final class RefCommand {

  private static String shown(JsonObject reference) {
    return reference.getString("name") + " " + reference.getString("cid");
  }

  private static String path(String name) {
    return "/refs/" + encoded(name);
  }

  private static String expected(String expected) {
    return "expected=" + (expected == null ? "any" : encoded(expected));
  }

  @Command(name = "set", description = "Let a name lead to a CID.")
  int set(
      @Mixin ServerCommand server,
      @Parameters(index = "0", paramLabel = "NAME", description = "at most 255 bytes") String name,
      @Parameters(index = "1", paramLabel = "CID", description = "version 0 or 1") String cid,
      @Option(
              names = "--expected",
              paramLabel = "CID",
              description = "only if it leads there now; 'none' for only if it is not there")
          String expected)
      throws IOException {
    return server.ask(
        "PUT",
        path(name) + "?cid=" + StoreCommand.cid(cid) + "&" + expected(expected),
        RefCommand::shown);
  }

  @Command(name = "get", description = "Print where a name leads.")
  int get(
      @Mixin ServerCommand server,
      @Parameters(paramLabel = "NAME", description = "the name") String name)
      throws IOException {
    return server.ask("GET", path(name), reference -> reference.getString("cid"));
  }

  @Command(name = "rm", description = "Remove a name.")
  int remove(
      @Mixin ServerCommand server,
      @Parameters(paramLabel = "NAME", description = "the name") String name,
      @Option(names = "--expected", paramLabel = "CID", description = "only if it leads there now")
          String expected)
      throws IOException {
    JsonObject answer = server.server().send("DELETE", path(name) + "?" + expected(expected));
    boolean removed = answer.getBoolean("removed");
    server.print(answer, removed ? "removed " + name : "there is no reference " + name);
    return removed ? 0 : Main.EXIT_ABSENT;
  }

  @Command(name = "ls", description = "List names and where they lead.")
  int list(
      @Mixin ServerCommand server,
      @Parameters(
              paramLabel = "PREFIX",
              arity = "0..1",
              defaultValue = "",
              description = "what the names begin with")
          String prefix)
      throws IOException {
    return server.list("/refs?prefix=" + encoded(prefix), RefCommand::shown);
  }
}
