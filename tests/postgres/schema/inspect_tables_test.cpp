#include "tests/postgres/schema/inspected.hpp"

namespace athanor::schema {
namespace {

TEST(InspectTables, TellsColumnsAndDefaults) {
  Inspected scene("CREATE TABLE t (a integer NOT NULL, b varchar(20) DEFAULT 'x', c numeric(10,2)[])");
  EXPECT_EQ(lines_of(scene.look()),
            (Lines{"table public.t {}", "column public.t.a {not_null: true, type: integer}",
                   "column public.t.b {type: character varying(20)}", "column public.t.c {type: numeric(10,2)[]}",
                   "default public.t.b {expression: 'x'::character varying}"}));
}

}  // namespace
}  // namespace athanor::schema
