# The checks of the Ruby client; each prints one JSON object.

require "influxdb"
require "json"

SETTINGS = JSON.parse(ARGV[0])
DB = SETTINGS["db"]
BASE_S = SETTINGS["base_s"]
NASTY = %q(say "hi", a=b \\ c, tab	here, é 漢, 'q' #x)
BIG = 9_007_199_254_740_993

def check(name, passed, detail = "")
  puts JSON.generate({ name: name, passed: passed ? true : false, detail: detail.to_s[0, 300] })
end

def equal(name, got, want)
  check(name, got == want, got == want ? "" : "got #{got.inspect}, want #{want.inspect}")
end

def client(more = {})
  InfluxDB::Client.new(DB, host: SETTINGS["host"], port: SETTINGS["port"], time_precision: "s",
                       **more)
end

def select(db, statement)
  db.query(statement, epoch: "ns").flat_map { |series| series["values"] }
end

def all
  InfluxDB::Logging.logger = false
  db = client
  check "version", true, InfluxDB::VERSION
  equal "ping", db.ping.code, "204"
  db.create_database(DB)
  db.create_database("#{DB}2")
  db.delete_database("#{DB}2")
  check "list_databases", db.list_databases.any? { |row| row["name"] == DB }
  db.create_retention_policy("week", DB, "INF", 1)
  names = db.list_retention_policies(DB).map { |row| row["name"] }
  equal "list_retention_policies", names, %w[autogen week]
  points(db)
  asynchronous
  errors(db)
end

def points(db)
  db.write_point("typed",
                 { values: { f: -1.5e-7, i: BIG, s: NASTY, b: true },
                   tags: { "host" => "a b,c=d", "empty" => "" }, timestamp: BASE_S })
  row = select(db, "SELECT * FROM typed").first
  equal "one value of each type", row.slice("f", "i", "s", "b", "host"),
        { "f" => -1.5e-7, "i" => BIG, "s" => NASTY, "b" => true, "host" => "a b,c=d" }
  many = (0...5000).map do |i|
    { series: "many", tags: { n: i % 10 }, values: { v: i }, timestamp: BASE_S + i }
  end
  db.write_points(many, "s")
  got = select(db, "SELECT v FROM many").map { |line| line["v"] }
  equal "5000 points in one request", got, (0...5000).to_a
  db.write_point("kept", { values: { v: 1 }, timestamp: BASE_S * 1000 }, "ms", "week")
  equal "another policy and precision", select(db, "SELECT v FROM week.kept").map { |l| l["v"] },
        [1]
end

def asynchronous
  db = client(async: { num_worker_threads: 1, sleep_interval: 1, max_post_points: 100 })
  1000.times { |i| db.write_point("later", { values: { v: i }, timestamp: BASE_S + i }) }
  db.stop!
  got = select(client, "SELECT v FROM later").map { |line| line["v"] }
  equal "1000 points written in the background", got, (0...1000).to_a
end

def refused(name, text, kind = InfluxDB::Error)
  yield
  check name, false, "nothing was raised"
rescue kind => e
  check name, e.message.include?(text), e.message
end

def errors(db)
  refused("a missing database is shown", "database not found: \\\"nowhere\\\"") do
    db.write_point("x", { values: { v: 1 } }, nil, nil, "nowhere")
  end
  refused("a field type conflict is shown", "partial write: field type conflict") do
    db.write_point("typed", { values: { f: "text" }, timestamp: BASE_S })
  end
  refused("a syntax error is shown", "error parsing query") { db.query("SELEKT 1") }
end

def overload
  InfluxDB::Logging.logger = false
  refused("an overloaded server's answer is raised at once", "request throttled") do
    client.write_point("overload", { values: { v: 1 }, timestamp: BASE_S })
  end
end

def crash
  InfluxDB::Logging.logger = false
  client.write_point("crash", { values: { v: 1 }, timestamp: BASE_S })
  check "a write waits for a server that is dead", true
end

{ "all" => method(:all), "overload" => method(:overload), "crash" => method(:crash) }
  .fetch(SETTINGS["part"]).call
