"""Who the rows of a version 3 table are, computed from its files by the specification (Row Lineage, First Row ID Inheritance): nothing of calve's or Java's."""
import pyarrow.parquet as pq
from pyiceberg.avro.file import AvroFile
from pyiceberg.io.pyarrow import _read_deletes
from pyiceberg.manifest import (DATA_FILE_TYPE, DataFile, DataFileContent, FileFormat, MANIFEST_ENTRY_SCHEMAS, MANIFEST_LIST_FILE_SCHEMAS, ManifestContent,
                                ManifestEntry, ManifestEntryStatus, ManifestFile, PartitionFieldSummary)

ROW_ID, CHANGED = 2147483540, 2147483539
FIRST_ROW_ID_OF_FILE = [field.name for field in DATA_FILE_TYPE[3].fields].index("first_row_id")
FIRST_ROW_ID_OF_MANIFEST = [field.name for field in MANIFEST_LIST_FILE_SCHEMAS[3].fields].index("first_row_id")


def manifests(table):
    snapshot = table.current_snapshot()
    with AvroFile(table.io.new_input(snapshot.manifest_list), MANIFEST_LIST_FILE_SCHEMAS[3], read_types={-1: ManifestFile, 508: PartitionFieldSummary},
                  read_enums={517: ManifestContent}) as reader:
        return list(reader)


def entries(table, manifest):
    with AvroFile(table.io.new_input(manifest.manifest_path), MANIFEST_ENTRY_SCHEMAS[3], read_types={-1: ManifestEntry, 2: DataFile},
                  read_enums={0: ManifestEntryStatus, 101: FileFormat, 134: DataFileContent}) as reader:
        return list(reader)


def files(table):
    """Live data files: path, first row id, sequence number."""
    for manifest in manifests(table):
        if manifest.content != ManifestContent.DATA:
            continue
        following = manifest[FIRST_ROW_ID_OF_MANIFEST]
        for entry in entries(table, manifest):
            first = entry.data_file[FIRST_ROW_ID_OF_FILE]
            if entry.status == ManifestEntryStatus.DELETED:
                continue
            if first is None and following is not None:
                first, following = following, following + entry.data_file.record_count
            number = manifest.sequence_number if entry.sequence_number is None else entry.sequence_number
            yield entry.data_file.file_path, first, number


def deleted(table):
    """Positions of deleted rows by data file. No equality deletes: nobody here writes them."""
    positions = {}
    for task in table.scan().plan_files():
        for deletes in task.delete_files:
            for path, column in _read_deletes(table.io, deletes).items():
                if path == task.file.file_path:
                    positions.setdefault(path, set()).update(column.to_pylist())
    return positions


def read(table, u_field):
    """(_row_id, _last_updated_sequence_number) of each live row by its u, and the first fault."""
    found, gone = {}, deleted(table)
    for path, first, number in files(table):
        with table.io.new_input(path).open() as stream:
            data = pq.read_table(stream)
        by_id = {int(field.metadata[b"PARQUET:field_id"]): i for i, field in enumerate(data.schema) if field.metadata}
        column = lambda field: data.column(by_id[field]).to_pylist() if field in by_id else [None] * len(data)
        dead = gone.get(path, ())
        for position, (u, row_id, changed) in enumerate(zip(column(u_field), column(ROW_ID), column(CHANGED))):
            if position in dead:
                continue
            if u in found:
                return found, f"row u={u} is live twice"
            inherited = None if first is None else first + position
            found[u] = (inherited if row_id is None else row_id, number if changed is None else changed)
    return found, None
