"""Who wrote the miniature. All of them are made up."""

from tensorflow_macos_build.upstream.embedded.edits import Person

AMARA = Person("Amara Okafor", "amara.okafor@example.org")
BJORN = Person("Bjørn Håkonsen", "bjorn.hakonsen@example.org")
CHIYO = Person("森 千代", "mori.chiyo@example.org")
DARIUS = Person("Darius Petrauskas", "darius.petrauskas@example.org")
ELENA = Person("Elena Marchetti", "elena.marchetti@example.org")
FARID = Person("Farid Haddad", "farid.haddad@example.org")
GWEN = Person("Gwen O'Connell", "gwen.oconnell@example.org")
HUGO = Person("Hugo Lindqvist", "hugo.lindqvist@example.org")
RELEASES = Person("TensorFlow Release Automation", "releases@example.org")
