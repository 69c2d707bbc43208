CREATE TABLE public.databasechangelog (
    id character varying(255) NOT NULL,
    author character varying(255) NOT NULL,
    filename character varying(255) NOT NULL,
    dateexecuted timestamp without time zone NOT NULL,
    orderexecuted integer NOT NULL,
    exectype character varying(10) NOT NULL,
    md5sum character varying(35),
    description character varying(255),
    comments character varying(255),
    tag character varying(255),
    liquibase character varying(20),
    contexts character varying(255),
    labels character varying(255),
    deployment_id character varying(10)
);
INSERT INTO public.databasechangelog VALUES ('1', 'ann', 'db/changelog.sql', '2026-11-30 16:03:30.743206', 1, 'EXECUTED', '9:29d0dbd3541753004bc10adf1b605bbb', 'sql', 'users', NULL, '4.33.0', NULL, NULL, '6054602415');
INSERT INTO public.databasechangelog VALUES ('idx', 'bob b', 'db/changelog.sql', '2026-11-30 16:03:30.953918', 2, 'EXECUTED', '9:d2d58ea4f4ab88131769901b6d7ac600', 'sql', '', NULL, '4.33.0', NULL, NULL, '6054602415');
INSERT INTO public.databasechangelog VALUES ('fn', 'ann', 'db/changelog.sql', '2026-11-30 16:03:31.048868', 3, 'EXECUTED', '9:8ff60a0c7fdb4f6309b3de7fa92f9258', 'sql', '', NULL, '4.33.0', NULL, NULL, '6054602415');
