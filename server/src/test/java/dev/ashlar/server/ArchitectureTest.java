package dev.ashlar.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.ashlar.block.Block;
import org.junit.jupiter.api.Test;

/** The walls of ARCHITECTURE.md. */
class ArchitectureTest {

  private static final JavaClasses ASHLAR =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .withImportOption(location -> !location.contains("-tests.jar"))
          .importPackages("dev.ashlar");

  @Test
  void packagesHaveNoCycles() {
    slices().matching("dev.ashlar.(**)").should().beFreeOfCycles().check(ASHLAR);
  }

  @Test
  void theCoreKnowsTheJdkAndSmallPureLibraries() {
    classes()
        .that()
        .resideInAPackage("dev.ashlar.block..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "dev.ashlar.block..",
            "java..",
            "org.bouncycastle.crypto..",
            "org.apache.commons.codec.digest",
            "com.fasterxml.jackson.core..",
            "org.jspecify..")
        .check(ASHLAR);
  }

  @Test
  void theCoreStartsNoThreadReadsNoClockAndDrawsNoRandom() {
    noClasses()
        .that()
        .resideInAPackage("dev.ashlar.block..")
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.util.Random")
        .orShould()
        .dependOnClassesThat()
        .resideInAPackage("java.time..")
        .orShould()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(Thread.class, "start")
        .orShould()
        .dependOnClassesThat()
        .resideInAPackage("java.nio.file..")
        .check(ASHLAR);
  }

  @Test
  void storesKnowTheCoreAlone() {
    noClasses()
        .that()
        .resideInAPackage("dev.ashlar.store..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.ashlar.http..", "dev.ashlar.raft..", "dev.ashlar.server..", "io..")
        .check(ASHLAR);
  }

  @Test
  void theGatewayKnowsNeitherStoresNorReplication() {
    noClasses()
        .that()
        .resideInAPackage("dev.ashlar.http..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.ashlar.raft..",
            "dev.ashlar.store..",
            "dev.ashlar.server..",
            "dev.ashlar.block.engine..")
        .check(ASHLAR);
  }

  @Test
  void onlyStorageMakesBlocksFromWhatItReadsBack() {
    noClasses()
        .that()
        .resideOutsideOfPackages("dev.ashlar.block..", "dev.ashlar.raft..")
        .should()
        .callMethod(
            Block.class, "stored", dev.ashlar.block.Cid.class, java.nio.ByteBuffer.class, int.class)
        .check(ASHLAR);
  }

  @Test
  void theConsensusCoreKnowsTheJdkAloneAndDrawsNothingFromTheWorld() {
    classes()
        .that()
        .resideInAPackage("dev.ashlar.raft.core..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "dev.ashlar.raft.core..", "java.lang..", "java.util..", "org.jspecify..")
        .check(ASHLAR);
    noClasses()
        .that()
        .resideInAPackage("dev.ashlar.raft.core..")
        .should()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .dependOnClassesThat()
        .resideInAnyPackage("java.util.concurrent..", "java.util.logging..", "java.time..")
        .orShould()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.util.Random")
        .orShould()
        .callMethod(java.util.UUID.class, "randomUUID")
        .check(ASHLAR);
  }

  @Test
  void replicationAndDriverHaveNoThreadClockOrNetwork() {
    noClasses()
        .that()
        .resideInAnyPackage("dev.ashlar.raft.replication..", "dev.ashlar.raft.driver..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io..", "java.net..", "java.nio.file..", "java.time..", "org.slf4j..")
        .orShould()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethod(Thread.class, "start")
        .check(ASHLAR);
  }

  @Test
  void replicationKnowsNeitherTheGatewayNorTheServer() {
    noClasses()
        .that()
        .resideInAPackage("dev.ashlar.raft..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.ashlar.http..", "dev.ashlar.server..", "dev.ashlar.store..")
        .check(ASHLAR);
  }
}
