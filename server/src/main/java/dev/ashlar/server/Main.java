package dev.ashlar.server;

import dev.ashlar.block.BlockException;
import dev.ashlar.block.MalformedException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ScopeType;

/** The {@code ashlar} command. */
@Command(
    name = "ashlar",
    description = "A content-addressed block store: bytes in, a CID out, the same bytes back.",
    versionProvider = Main.Version.class,
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    sortOptions = false,
    usageHelpAutoWidth = true,
    subcommands = {
      ServeCommand.class,
      PutCommand.class,
      GetCommand.class,
      HasCommand.class,
      RmCommand.class,
      LsCommand.class,
      StatCommand.class,
      ImportCommand.class,
      ExportCommand.class,
      AddCommand.class,
      CatCommand.class,
      PinCommand.class,
      RefCommand.class,
      GcCommand.class,
      WatchCommand.class,
      BackupCommand.class,
      RestoreCommand.class,
      VerifyCommand.class,
      ClusterCommand.class,
      DemoCommand.class,
      dev.ashlar.server.chaos.ChaosCommand.class,
      ConfigCommand.class,
      WarmUpCommand.class,
      AutoComplete.GenerateCompletion.class
    },
    footer = {
      "",
      "Every option can also be set in the environment (--data as ASHLAR_DATA, --header-seconds as"
          + " ASHLAR_HEADER_SECONDS) and in a file (--config FILE; lines such as data=/var/lib/ashlar)."
          + " A flag beats the environment, which beats the file, which beats the default.",
      "",
      "Exit status: 0 done, 1 failed, 2 wrong usage, 3 no such block, 4 not now (try again),"
          + " 5 may have been done, 65 the store is damaged,"
          + " 74 the storage failed."
    })
public final class Main {

  /** Failed for a reason that was said. */
  static final int EXIT_FAILED = 1;

  /** No such block. */
  static final int EXIT_ABSENT = 3;

  /** Not done; trying again may do. */
  static final int EXIT_UNAVAILABLE = 4;

  /** May have been done. */
  static final int EXIT_UNKNOWN = 5;

  /** What is on the disk is not what was written (EX_DATAERR of sysexits.h). */
  static final int EXIT_DAMAGED = 65;

  /** An I/O error of the storage (EX_IOERR of sysexits.h). */
  static final int EXIT_STORAGE = 74;

  /** The storage does not answer: to be started again. */
  static final int EXIT_STUCK = 75;

  private Main() {}

  /** Begins here; ends with the exit status that {@code ashlar --help} lists. */
  public static void main(String[] arguments) {
    try {
      System.exit(commandLine(new Settings(System.getenv(), arguments)).execute(arguments));
    } catch (UncheckedIOException e) {
      System.err.println("ashlar: " + message(e));
      System.exit(CommandLine.ExitCode.USAGE);
    }
  }

  static CommandLine commandLine(Settings settings) {
    CommandLine commandLine = new CommandLine(new Main());
    commandLine.setDefaultValueProvider(settings);
    commandLine.setExecutionStrategy(
        result -> {
          try {
            settings.requireKnownKeys(commandLine);
          } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(
                commandLine, String.valueOf(e.getMessage()), e);
          }
          Logging.configureForCommand();
          return new CommandLine.RunLast().execute(result);
        });
    commandLine.setExecutionExceptionHandler(
        (e, command, result) -> {
          PrintWriter err = command.getErr();
          err.println("ashlar: " + message(e));
          err.flush();
          return exitStatus(e);
        });
    return commandLine;
  }

  private static String message(Exception e) {
    Throwable cause = e instanceof UncheckedIOException && e.getCause() != null ? e.getCause() : e;
    if (cause instanceof java.net.ConnectException) {
      return "no server answers there: start one with 'ashlar serve', or name it with --server";
    }
    if (cause instanceof java.nio.file.NoSuchFileException file) {
      return "no such file: " + file.getMessage();
    }
    return cause.getMessage() == null ? cause.toString() : cause.getMessage();
  }

  private static int exitStatus(Exception e) {
    if (e instanceof dev.ashlar.block.StoreDamagedException) {
      return EXIT_DAMAGED;
    }
    if (e instanceof dev.ashlar.block.StoreFailedException) {
      return EXIT_STORAGE;
    }
    if (e instanceof BlockException block && block.outcomeUnknown()) {
      return EXIT_UNKNOWN;
    }
    if (e instanceof dev.ashlar.block.StoreUnavailableException
        || e instanceof dev.ashlar.block.StoreLockedException
        || e instanceof dev.ashlar.block.NoSpaceException
        || e.getCause() instanceof java.net.ConnectException) {
      return EXIT_UNAVAILABLE;
    }
    return e instanceof IllegalArgumentException || e instanceof MalformedException
        ? CommandLine.ExitCode.USAGE
        : EXIT_FAILED;
  }

  /** What {@code --version} says. */
  static final class Version implements CommandLine.IVersionProvider {

    static String number() {
      String version = Main.class.getPackage().getImplementationVersion();
      return version == null ? "development" : version;
    }

    @Override
    public String[] getVersion() {
      return new String[] {"ashlar " + number()};
    }
  }
}
