import CLMDB
import CSQLite
import Foundation
import SystemPackage

/// Ids and vectors in LMDB, one transaction for each commit, synced as it comes.
final class LMDBStore {
    private var environment: OpaquePointer?
    private var database: MDB_dbi = 0

    init(_ path: FilePath) throws {
        try check(mdb_env_create(&environment))
        // Address space, not memory.
        try check(mdb_env_set_mapsize(environment, 16 << 30))
        try check(mdb_env_open(environment, path.string, UInt32(MDB_NOSUBDIR), 0o644))
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(environment, nil, 0, &transaction))
        try check(mdb_dbi_open(transaction, nil, UInt32(MDB_CREATE | MDB_INTEGERKEY), &database))
        try check(mdb_txn_commit(transaction))
    }

    deinit { mdb_env_close(environment) }

    private func check(_ code: Int32) throws {
        if code != 0 { throw FigureError("LMDB: \(String(cString: mdb_strerror(code)))") }
    }

    func commit(_ ids: [UInt64], _ components: [Float]) throws {
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(environment, nil, 0, &transaction))
        let byteCount = components.count / ids.count * MemoryLayout<Float>.size
        try components.withUnsafeBytes { bytes in
            for (position, id) in ids.enumerated() {
                try withUnsafePointer(to: id) { id in
                    var key = MDB_val(mv_size: 8, mv_data: UnsafeMutableRawPointer(mutating: id))
                    let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress! + position * byteCount)
                    var value = MDB_val(mv_size: byteCount, mv_data: start)
                    try check(mdb_put(transaction, database, &key, &value, 0))
                }
            }
        }
        try check(mdb_txn_commit(transaction))
    }
}

/// Ids and vectors in SQLite: write-ahead log, full synchronisation, one transaction for each commit.
final class SQLiteStore {
    private var connection: OpaquePointer?
    private var insert: OpaquePointer?

    init(_ path: FilePath) throws {
        try check(sqlite3_open(path.string, &connection))
        try execute("PRAGMA journal_mode=WAL")
        try execute("PRAGMA synchronous=FULL")
        try execute("CREATE TABLE vectors (id INTEGER PRIMARY KEY, vector BLOB)")
        try check(sqlite3_prepare_v2(connection, "INSERT OR REPLACE INTO vectors VALUES (?, ?)", -1, &insert, nil))
    }

    deinit {
        sqlite3_finalize(insert)
        sqlite3_close(connection)
    }

    private func check(_ code: Int32, is expected: Int32 = SQLITE_OK) throws {
        if code != expected { throw FigureError("SQLite: \(String(cString: sqlite3_errmsg(connection)))") }
    }

    private func execute(_ statement: String) throws {
        try check(sqlite3_exec(connection, statement, nil, nil, nil))
    }

    func commit(_ ids: [UInt64], _ components: [Float]) throws {
        let byteCount = components.count / ids.count * MemoryLayout<Float>.size
        try execute("BEGIN IMMEDIATE")
        try components.withUnsafeBytes { bytes in
            for (position, id) in ids.enumerated() {
                try check(sqlite3_bind_int64(insert, 1, Int64(bitPattern: id)))
                // The bytes stay where they are until the statement has run.
                try check(
                    sqlite3_bind_blob(insert, 2, bytes.baseAddress! + position * byteCount, Int32(byteCount), nil))
                try check(sqlite3_step(insert), is: SQLITE_DONE)
                try check(sqlite3_reset(insert))
            }
        }
        try execute("COMMIT")
    }
}
