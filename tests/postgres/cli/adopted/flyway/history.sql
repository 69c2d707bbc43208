CREATE TABLE public.flyway_schema_history (
    installed_rank integer NOT NULL,
    version character varying(50),
    description character varying(200) NOT NULL,
    type character varying(20) NOT NULL,
    script character varying(1000) NOT NULL,
    checksum integer,
    installed_by character varying(100) NOT NULL,
    installed_on timestamp without time zone DEFAULT now() NOT NULL,
    execution_time integer NOT NULL,
    success boolean NOT NULL
);
INSERT INTO public.flyway_schema_history VALUES (1, '1', 'users', 'SQL', 'V1__users.sql', 2134490055, 'postgres', '2026-11-30 16:03:19.830143', 62, true);
INSERT INTO public.flyway_schema_history VALUES (2, '1.1', 'idx', 'SQL', 'V1_1__idx.sql', -783268763, 'postgres', '2026-11-30 16:03:20.06824', 34, true);
INSERT INTO public.flyway_schema_history VALUES (3, NULL, 'view', 'SQL', 'R__view.sql', 308231911, 'postgres', '2026-11-30 16:03:20.200009', 14, true);
ALTER TABLE ONLY public.flyway_schema_history
    ADD CONSTRAINT flyway_schema_history_pk PRIMARY KEY (installed_rank);
CREATE INDEX flyway_schema_history_s_idx ON public.flyway_schema_history USING btree (success);
